package pgwire

import (
	"context"
	"database/sql"
	"encoding/binary"
	"net"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// A session is one connection of a client. One goroutine uses it; others may interrupt and shut it.
type session struct {
	server  *Server
	number  uint32
	conn    net.Conn
	backend *pgproto3.Backend
	types   *pgtype.Map
	ctx     context.Context
	shut    context.CancelFunc // breaks the connection

	db         *sql.Conn // nil before the login
	tx         *sql.Tx   // nil outside a transaction
	failed     bool      // a statement of the transaction has failed
	skipping   bool      // until the next Sync, after an error of the extended protocol
	statements map[string]*statement
	portals    map[string]*portal

	running sync.Mutex
	stop    context.CancelFunc // of the statement that runs; guarded by running
}

func newSession(s *Server, conn net.Conn, number uint32) *session {
	ctx, cancel := context.WithCancel(context.Background())
	c := &session{
		server: s, number: number, conn: conn, backend: pgproto3.NewBackend(conn, conn), types: pgtype.NewMap(), ctx: ctx,
		statements: map[string]*statement{}, portals: map[string]*portal{},
	}
	c.backend.SetMaxBodyLen(16 << 20)
	c.shut = func() {
		cancel()
		_ = conn.Close() // in memory; a second time is no error
	}
	return c
}

// run serves the connection until either side ends it.
func (c *session) run() {
	if !c.login() {
		return
	}
	c.ready()
	alive := c.backend.Flush() == nil
	for alive {
		message, err := c.backend.Receive()
		alive = err == nil && c.serve(message)
	}
}

// end gives back what the session has.
func (c *session) end() {
	c.shut()
	c.closePortals()
	if c.tx != nil {
		_ = c.tx.Rollback() // its context has ended
	}
	if c.db != nil {
		_ = c.db.Close()
	}
}

// login reports whether the client has a connection of the fake.
func (c *session) login() bool {
	for {
		message, err := c.backend.ReceiveStartupMessage()
		if err != nil {
			return false
		}
		switch m := message.(type) {
		case *pgproto3.SSLRequest, *pgproto3.GSSEncRequest:
			if _, err := c.conn.Write([]byte{'N'}); err != nil {
				return false
			}
		case *pgproto3.CancelRequest:
			if len(m.SecretKey) == 4 && binary.BigEndian.Uint32(m.SecretKey) == m.ProcessID {
				c.server.cancel(m.ProcessID)
			}
			return false
		case *pgproto3.StartupMessage:
			return c.open()
		}
	}
}

// open takes a connection of the fake.
func (c *session) open() bool {
	db, err := c.server.db.DB().Conn(c.ctx)
	if err == nil {
		c.db = db
		err = db.PingContext(c.ctx)
	}
	if err != nil {
		p := problem(err)
		p.Severity, p.SeverityUnlocalized = "FATAL", "FATAL"
		c.backend.Send(p)
		_ = c.backend.Flush() // the connection ends
		return false
	}
	c.backend.Send(&pgproto3.AuthenticationOk{})
	for _, p := range [][2]string{
		{"server_version", "17.0"}, {"server_encoding", "UTF8"}, {"client_encoding", "UTF8"}, {"DateStyle", "ISO, MDY"},
		{"TimeZone", "UTC"}, {"integer_datetimes", "on"}, {"standard_conforming_strings", "on"},
	} {
		c.backend.Send(&pgproto3.ParameterStatus{Name: p[0], Value: p[1]})
	}
	c.backend.Send(&pgproto3.BackendKeyData{ProcessID: c.number, SecretKey: binary.BigEndian.AppendUint32(nil, c.number)})
	return true
}

// ready says that the next statement may come.
func (c *session) ready() {
	status := byte('I')
	switch {
	case c.failed:
		status = 'E'
	case c.tx != nil:
		status = 'T'
	}
	c.backend.Send(&pgproto3.ReadyForQuery{TxStatus: status})
}

// serve answers a message, and reports whether the connection goes on.
func (c *session) serve(message pgproto3.FrontendMessage) bool {
	switch m := message.(type) {
	case *pgproto3.Terminate:
		return false
	case *pgproto3.Query:
		c.skipping = false
		alive := c.simple(m.String)
		c.ready()
		return alive && c.backend.Flush() == nil
	case *pgproto3.Sync:
		c.skipping = false
		c.closePortals()
		c.ready()
		return c.backend.Flush() == nil
	case *pgproto3.Flush:
		return c.backend.Flush() == nil
	}
	if c.skipping {
		return true
	}
	err := c.extended(message)
	if err == nil {
		return true
	}
	c.skipping = true
	return c.fail(err)
}

// fail tells the client of an error, and reports whether the connection goes on.
func (c *session) fail(err error) bool {
	c.failed = c.tx != nil
	if lost(err) {
		return false
	}
	c.backend.Send(problem(err))
	return true
}

// begin returns the context of a statement, which interrupt ends.
func (c *session) begin() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.running.Lock()
	defer c.running.Unlock()
	c.stop = cancel
	return ctx, cancel
}

// interrupt ends the statement that runs.
func (c *session) interrupt() {
	c.running.Lock()
	stop := c.stop
	c.running.Unlock()
	if stop != nil {
		stop()
	}
}
