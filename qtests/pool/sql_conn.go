package pool

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
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

	killed   chan struct{} // closed by Kill
	killOnce sync.Once

	// prepared holds what has been prepared here, so that it costs a round trip
	// once per connection and not once per use. It belongs to the lease.
	prepared map[string]struct{}
}

// maxPrepared is how many statements a connection remembers.
const maxPrepared = 256

func (c *sqlConn) kill() { c.killOnce.Do(func() { close(c.killed) }) }

// sqlConnector joins database/sql to the pool.
type sqlConnector struct{ db *SQL }

// Connect takes a connection from the pool. Because a session says IsValid only
// to its last use (see there), database/sql asks for one for every statement
// outside a transaction, and the pool is the only queue.
func (c sqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	for {
		lease, err := c.db.pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		conn := lease.Value()
		if isClosed(conn.killed) { // while it was idle: nobody need notice
			lease.Discard(driver.ErrBadConn)
			continue
		}
		return &sqlSession{db: c.db, lease: lease, conn: conn}, nil
	}
}

func (c sqlConnector) Driver() driver.Driver { return sqlDriver{} }

// Close is called by (*sql.DB).Close.
func (c sqlConnector) Close() error {
	c.db.closePool()
	return nil
}

// sqlDriver only exists because (*sql.DB).Driver must return something.
type sqlDriver struct{}

func (sqlDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("pool: a fake is opened by NewSQL alone")
}

// An sqlSession is a lease of a connection as database/sql sees it: a
// driver.Conn from Connect to Close. database/sql lets one goroutine at a time
// use it, under a lock of its own.
type sqlSession struct {
	db    *SQL
	lease Lease[*sqlConn]
	conn  *sqlConn
	tx    context.Context // of the open transaction, nil outside
	bad   error           // why the connection cannot be used again
	ended bool
}

// IsValid makes database/sql close the session, and so end the lease, as soon as
// a statement outside a transaction has ended, whatever its SetMaxIdleConns: it
// would otherwise keep the connection, and those who wait in the pool would wait
// for ever. A strict connection stays with database/sql, like that of a bare
// go-sqlmock.
func (s *sqlSession) IsValid() bool { return s.db.strict() != nil && s.lost() == nil }

// ResetSession is called before a strict connection is used again.
func (s *sqlSession) ResetSession(context.Context) error { return s.lost() }

// lost returns the error of a session whose connection is gone.
func (s *sqlSession) lost() error {
	switch {
	case s.bad != nil:
		return driver.ErrBadConn
	case isClosed(s.conn.killed):
		return s.db.killedError("connection")
	}
	return nil
}

// Close ends the lease. database/sql may hold any of its locks: nothing in here
// waits.
func (s *sqlSession) Close() error {
	if s.ended {
		return nil
	}
	s.ended = true
	var err error
	if s.db.strict() != nil {
		err = s.conn.driver.Close()
	}
	switch {
	case s.bad != nil:
		s.lease.Discard(s.bad)
	case isClosed(s.conn.killed):
		s.lease.Discard(driver.ErrBadConn)
	default:
		s.lease.Release()
	}
	return err
}

// guard ends the lease when a function of the user's panics or calls Goexit in
// the middle of a statement: database/sql would never close the session.
func (s *sqlSession) guard(returned *bool) {
	if !*returned {
		s.bad = ErrBroken
		_ = s.Close()
	}
}

// pass sends one call through the fake's latency and faults.
func (s *sqlSession) pass(ctx context.Context, c faultCall) error {
	if err := s.lost(); err != nil {
		return err
	}
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

// CheckNamedValue converts arguments as the connection's go-sqlmock does.
func (s *sqlSession) CheckNamedValue(v *driver.NamedValue) error {
	return s.conn.driver.(driver.NamedValueChecker).CheckNamedValue(v)
}

func (s *sqlSession) Ping(ctx context.Context) error {
	if err := s.pass(ctx, s.db.ping.call("ping", s.conn.target)); err != nil {
		return err
	}
	return s.conn.driver.(driver.Pinger).Ping(ctx)
}

func (s *sqlSession) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	returned := false
	defer func() { s.guard(&returned) }()
	stub, err := s.find(query, args)
	if err == nil {
		err = s.pass(ctx, s.statement("query", stub))
	}
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
	stub, err := s.find(query, args)
	if err == nil {
		err = s.pass(ctx, s.statement("exec", stub))
	}
	switch {
	case err != nil:
	case stub == nil:
		result, err = s.conn.driver.(driver.ExecerContext).ExecContext(ctx, query, args)
	default:
		result, err = stub.done(ctx, args)
	}
	returned = true
	return result, err
}

// find returns the stub that answers, or nil if the connection's go-sqlmock
// shall, or the error of a query that neither knows.
func (s *sqlSession) find(query string, args []driver.NamedValue) (*SQLStub, error) {
	stub := s.db.stubs.find(query, args)
	switch {
	case stub != nil:
		stub.calls.Add(1)
		return stub, nil
	case s.db.mocksAnswer():
		return nil, nil
	}
	return nil, s.db.unmatchedQuery(query, args)
}

// statement is the call of a query: the stub's, or the fake's own manner.
func (s *sqlSession) statement(op string, stub *SQLStub) faultCall {
	if stub != nil {
		return stub.call(op, s.conn)
	}
	return s.db.plain.call(op, s.conn.target)
}

// killedError is what a killed connection answers.
func (db *SQL) killedError(op string) error {
	return &FaultError{Fake: db.name, Op: op, Err: driver.ErrBadConn, Cause: syscall.ECONNRESET}
}
