package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A session is a connection for database/sql, which keeps sessions idle as it likes. A
// session has a lease of a real connection only while it is used: from the first
// operation of a statement, a transaction or a *sql.Conn to the end. That makes the pool
// the only queue. If idle sessions had leases, callers in the pool would wait for ever.
//
// database/sql lets one goroutine at a time use it, under a lock of its own.
type session struct {
	db    *Fake
	lease pool.Lease[*conn]
	conn  *conn           // nil between uses
	tx    context.Context // of the open transaction, nil outside
	bad   error           // why the connection cannot be used again
	line  *fault.Line     // while rows or a transaction are open, else nil
	place *place          // of a line, for the next one; may be nil
	busy  time.Duration   // with statements, while they are watched
	held  holding
}

// take gives the session a connection, unless it has one.
func (s *session) take(ctx context.Context) error {
	if s.conn == nil {
		defer s.waiting()()
	}
	for s.conn == nil {
		lease, err := s.db.pool.Acquire(ctx)
		if err != nil {
			return fault.Arrived(err)
		}
		if conn := lease.Value(); conn.dead.Load() { // since it was idle: the caller gets another one
			lease.Discard(driver.ErrBadConn)
		} else {
			s.lease, s.conn, s.bad = lease, conn, nil
		}
	}
	return nil
}

// end gives the connection back. database/sql may hold any of its locks: nothing
// in here waits.
func (s *session) end() {
	if s.conn == nil {
		return
	}
	err := s.lost()
	if s.line != nil {
		if s.line.Detach(); s.line.Err() != nil {
			s.place = nil
		}
	}
	s.conn, s.tx, s.line = nil, nil, nil
	if err != nil {
		s.lease.Discard(err)
	} else {
		s.lease.Release()
	}
}

// IsValid is called by database/sql when a use has ended without
// driver.ErrBadConn; the session may be used again.
func (s *session) IsValid() bool {
	s.end()
	return true
}

// ResetSession has nothing to do. Together with IsValid it tells database/sql
// that a connection survives the end of a transaction's context.
func (s *session) ResetSession(context.Context) error { return nil }

// Close is called after a use that ended with driver.ErrBadConn, and when
// database/sql keeps no more sessions idle.
func (s *session) Close() error {
	s.end()
	return nil
}

// lost returns the error of a session whose connection is gone.
func (s *session) lost() error {
	switch {
	case s.bad != nil:
		return driver.ErrBadConn
	case s.conn.dead.Load():
		return s.db.killedErr
	}
	return nil
}

// attach attaches the connection of rows or of a transaction, so that an outage cuts it
// also between two calls.
func (s *session) attach() {
	if s.line != nil {
		return
	}
	if s.place == nil {
		s.place = &place{}
	}
	s.line = &s.place.line
	s.place.call = fault.Call{Op: "connection", On: fault.Targets{1: s.conn.target}}
	s.db.engine.Attach(s.line, &s.place.call, nil)
}

// A place has room for a line and its call. It is used again, unless an outage has struck the line: that may
// still come to cut it.
type place struct {
	line fault.Line
	call fault.Call
}

// cut returns the error of a connection that an outage has cut, and loses it.
func (s *session) cut() error {
	if s.line == nil {
		return nil
	}
	return s.suffer(s.line.Err())
}

// guard ends the use when a function of the user panics or calls Goexit in the middle
// of a statement. database/sql would not end it.
func (s *session) guard(returned *bool) {
	if !*returned && s.conn != nil {
		s.bad = pool.ErrBroken
		s.end()
	}
}

// pass sends one call through the fake's latency and faults.
func (s *session) pass(ctx context.Context, c fault.Call) error {
	if err := s.lost(); err != nil {
		return err
	}
	if err := s.cut(); err != nil {
		return err
	}
	s.bind(ctx, &c)
	return s.suffer(s.db.engine.Do(ctx, &c))
}

// bind makes a call one of the connection, which ends with the transaction, too.
func (s *session) bind(ctx context.Context, c *fault.Call) {
	c.On[1] = s.conn.target
	c.Cut, c.CutErr = s.conn.killed, s.db.killedErr
	if s.tx != ctx {
		c.Also = s.tx
	}
}

// suffer notes an error after which the connection is lost.
func (s *session) suffer(err error) error {
	if errors.Is(err, fake.ErrOutage) || errors.Is(err, driver.ErrBadConn) {
		s.bad = err
	}
	return err
}

// operate takes a connection and passes the call of one operation.
func (s *session) operate(ctx context.Context, o operation, name string) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	return s.pass(ctx, o.call(name))
}

// CheckNamedValue converts arguments as go-sqlmock does.
func (s *session) CheckNamedValue(v *driver.NamedValue) (err error) {
	switch v.Value.(type) {
	case sql.Out, Untyped:
	default:
		v.Value, err = s.db.mocks.converter.ConvertValue(v.Value)
	}
	return err
}

func (s *session) Ping(ctx context.Context) error {
	if err := s.operate(ctx, s.db.ops.ping, "ping"); err != nil {
		return err
	}
	return s.ask("ping", nil, func([]driver.NamedValue) error { return s.conn.mock.Conn.(driver.Pinger).Ping(ctx) })
}

func (s *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	returned := false
	defer func() { s.guard(&returned) }()
	r, err := s.reach(ctx, "query", query, args)
	switch {
	case err != nil:
	case r.stub == nil:
		err = s.ask(query, args, func(args []driver.NamedValue) (err error) {
			rows, err = s.conn.mock.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
			return err
		})
	default:
		rows, err = s.rowsOf(ctx, r, args)
	}
	returned = true
	return rows, err
}

func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	returned := false
	defer func() { s.guard(&returned) }()
	r, err := s.reach(ctx, "exec", query, args)
	switch {
	case err != nil:
	case r.stub == nil:
		err = s.ask(query, args, func(args []driver.NamedValue) (err error) {
			result, err = s.conn.mock.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
			return err
		})
	default:
		result, err = r.stub.done(ctx, args)
	}
	returned = true
	return result, err
}

// reached is a statement that has come to what answers it.
type reached struct {
	stub *Stub // nil if the go-sqlmock of the connection answers
	n    uint64
	call fault.Call
}

// reach waits until the latency of a statement is over.
func (s *session) reach(ctx context.Context, op, query string, args []driver.NamedValue) (r reached, err error) {
	defer s.watch(ctx, query, args)()
	if err := s.take(ctx); err != nil {
		return r, err
	}
	r.stub, r.n = s.db.find(query, args)
	switch {
	case r.stub != nil:
		r.call = r.stub.call(op)
	case s.db.mocksAnswer():
		r.call = s.db.ops.statement.call(op)
	default:
		return r, s.db.unmatched(query, args)
	}
	return r, s.pass(ctx, r.call)
}

// ask makes a call of the go-sqlmock. One that the mock did not expect fails the test
// when it ends.
func (s *session) ask(what string, args []driver.NamedValue, call func([]driver.NamedValue) error) error {
	expected, err := s.conn.mock.ask(asStrings(args), call)
	if expected {
		return err
	}
	return s.db.unanswered(what, err)
}
