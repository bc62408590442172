package pool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"syscall"

	"github.com/DATA-DOG/go-sqlmock"
)

// connTarget limits a fault to the connection with that number.
type connTarget int

// An sqlConn is one pooled connection.
type sqlConn struct {
	id     int
	target target // connTarget(id), boxed once
	mock   sqlmock.Sqlmock
	driver driver.Conn // mock again

	dead   atomic.Bool   // decided by Kill, at once
	killed chan struct{} // closed when it is this connection's turn to notice

	// prepared holds what has been prepared here, so that it costs a round trip
	// once per connection and not once per use. It belongs to the lease.
	prepared map[string]struct{}
}

// maxPrepared is how many statements a connection remembers.
const maxPrepared = 256

// sqlConnector joins database/sql to the fake.
type sqlConnector struct{ db *SQL }

// Connect returns a session without a connection, which takes one from the pool
// when it is used: see sqlSession.
func (c sqlConnector) Connect(context.Context) (driver.Conn, error) {
	return &sqlSession{db: c.db}, nil
}

func (c sqlConnector) Driver() driver.Driver { return sqlDriver{} }

// Close is called by (*sql.DB).Close.
func (c sqlConnector) Close() error { return c.db.closePool() }

// sqlDriver only exists because (*sql.DB).Driver must return something.
type sqlDriver struct{}

func (sqlDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("pool: a fake is opened by NewSQL alone")
}

// An sqlSession is what database/sql takes for a connection, and keeps idle as it
// likes. From the first operation of each use (a statement, a transaction, a
// *sql.Conn) to its end it has a lease of a real one. That makes the pool the
// only queue: a lease held by an idle connection of database/sql, whatever its
// SetMaxIdleConns, would keep those who wait in the pool waiting for ever.
//
// database/sql lets one goroutine at a time use it, under a lock of its own.
type sqlSession struct {
	db    *SQL
	lease Lease[*sqlConn]
	conn  *sqlConn        // nil between uses
	tx    context.Context // of the open transaction, nil outside
	bad   error           // why the connection cannot be used again
}

// take gives the session a connection, unless it has one.
func (s *sqlSession) take(ctx context.Context) error {
	for s.conn == nil {
		lease, err := s.db.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		if conn := lease.Value(); conn.dead.Load() { // while it was idle: nobody need notice
			lease.Discard(driver.ErrBadConn)
		} else {
			s.lease, s.conn, s.bad = lease, conn, nil
		}
	}
	return nil
}

// end gives the connection back. database/sql may hold any of its locks: nothing
// in here waits.
func (s *sqlSession) end() {
	if s.conn == nil {
		return
	}
	err := s.lost()
	s.conn, s.tx = nil, nil
	if err != nil {
		s.lease.Discard(err)
	} else {
		s.lease.Release()
	}
}

// IsValid is called by database/sql when a use has ended without
// driver.ErrBadConn; the session may be used again.
func (s *sqlSession) IsValid() bool {
	s.end()
	return true
}

// ResetSession has nothing to do. Together with IsValid it tells database/sql
// that a connection survives the end of a transaction's context.
func (s *sqlSession) ResetSession(context.Context) error { return nil }

// Close is called after a use that ended with driver.ErrBadConn, and when
// database/sql keeps no more sessions idle.
func (s *sqlSession) Close() error {
	s.end()
	return nil
}

// lost returns the error of a session whose connection is gone.
func (s *sqlSession) lost() error {
	switch {
	case s.bad != nil:
		return driver.ErrBadConn
	case s.conn.dead.Load():
		return s.db.killedErr
	}
	return nil
}

// guard ends the use when a function of the user's panics or calls Goexit in
// the middle of a statement: database/sql would never do it.
func (s *sqlSession) guard(returned *bool) {
	if !*returned && s.conn != nil {
		s.bad = ErrBroken
		s.end()
	}
}

// pass sends one call through the fake's latency and faults.
func (s *sqlSession) pass(ctx context.Context, c faultCall) error {
	if err := s.lost(); err != nil {
		return err
	}
	c.on[1] = s.conn.target
	c.cut, c.cutErr = s.conn.killed, s.db.killedErr
	if s.tx != ctx {
		c.also = s.tx
	}
	err := s.db.engine.do(ctx, &c)
	if errors.Is(err, ErrOutage) || errors.Is(err, driver.ErrBadConn) {
		s.bad = err
	}
	return err
}

// operate takes a connection and passes the call of one operation.
func (s *sqlSession) operate(ctx context.Context, o *Op, name string) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	return s.pass(ctx, o.call(name))
}

// CheckNamedValue converts arguments as go-sqlmock does.
func (s *sqlSession) CheckNamedValue(v *driver.NamedValue) (err error) {
	if _, out := v.Value.(sql.Out); !out {
		v.Value, err = s.db.cfg.Converter.ConvertValue(v.Value)
	}
	return err
}

func (s *sqlSession) Ping(ctx context.Context) error {
	if err := s.operate(ctx, s.db.ping, "ping"); err != nil {
		return err
	}
	return s.conn.driver.(driver.Pinger).Ping(ctx)
}

func (s *sqlSession) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	returned := false
	defer func() { s.guard(&returned) }()
	stub, err := s.reach(ctx, "query", query, args)
	switch {
	case err != nil:
	case stub == nil:
		rows, err = s.conn.driver.(driver.QueryerContext).QueryContext(ctx, query, args)
	default:
		rows, err = stub.rows(ctx, s, args)
	}
	returned = true
	return rows, err
}

func (s *sqlSession) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	returned := false
	defer func() { s.guard(&returned) }()
	stub, err := s.reach(ctx, "exec", query, args)
	switch {
	case err != nil:
	case stub == nil:
		result, err = s.conn.driver.(driver.ExecerContext).ExecContext(ctx, query, args)
	default:
		result, err = stub.done()
	}
	returned = true
	return result, err
}

// reach brings a statement to the server, so to speak: it returns when its
// latency is over, with the stub that answers, or nil if the connection's
// go-sqlmock shall.
func (s *sqlSession) reach(ctx context.Context, op, query string, args []driver.NamedValue) (*SQLStub, error) {
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	stub := s.db.stubs.find(query, args)
	switch {
	case stub != nil:
		stub.calls.Add(1)
		return stub, s.pass(ctx, stub.call(op))
	case s.db.mocksAnswer():
		return nil, s.pass(ctx, s.db.plain.call(op))
	}
	return nil, s.db.unmatchedQuery(query, args)
}

// killedError is what a killed connection answers.
func (db *SQL) killedError() error {
	return &FaultError{Fake: db.name, Op: "connection", Err: driver.ErrBadConn, Cause: syscall.ECONNRESET}
}
