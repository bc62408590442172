package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"syscall"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/cleanup"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tb"
)

// NewT returns an open fake, which closes when t ends. t fails then if leases are
// still out, which means that rows, a transaction or a *sql.Conn were not closed, if
// an expectation of [Fake.Expect] was not met, or if there was a call that nothing
// answers, also where the code under test has swallowed its error: see
// Config.AllowUnexpected. A cfg that is negative or contradictory fails t at once.
func NewT(t tb.TB, cfg Config) *Fake {
	t.Helper()
	if err := cfg.validate(); err != nil {
		tb.Fatalf(t, "%v", err)
	}
	if cfg.Setup != nil {
		requireReadable(t)
	}
	common := fault.ConfigOf(cfg).WithDefaults(t, "sql", pool.DefaultMax)
	db := &Fake{cfg: cfg, common: common, mocks: cfg.mocks(), reader: make(chan *rowsReader, 1)}
	db.reader <- &rowsReader{}
	db.engine = fault.New(common, func(n int) { _ = db.pool.Resize(0, n) })
	db.scope = fault.NewScope("fakesql", t, db.engine)
	db.Faults = fake.FaultsOf(db.scope)
	db.ops = newOperations(db.scope, common, cfg.ConnectLatency)
	db.killedErr = &fake.Error{Fake: common.Name, Op: "connection", Err: driver.ErrBadConn, Cause: syscall.ECONNRESET}
	conns, err := pool.New(pool.Config[*conn]{
		Name: common.Name, Max: common.Max, New: db.openConn, Destroy: db.forget, NoBackoff: true, NoJitter: true,
		MaxWaiters: common.MaxWaiters, AcquireTimeout: common.AcquireTimeout, MaxLifetime: cfg.MaxLifetime,
		MaxIdleTime: cfg.MaxIdleTime, Stacks: cfg.Stacks, Clock: common.Clock, EventLog: common.EventLog,
	})
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	db.pool = conns
	db.db = sql.OpenDB(connector{db})
	db.db.SetMaxIdleConns(common.Max)
	t.Cleanup(func() { t.Helper(); db.cleanup(t) })
	return db
}

// connector joins database/sql to the fake.
type connector struct{ db *Fake }

// Connect returns a session without a connection, which takes one from the pool
// when it is used: see session.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	return &session{db: c.db}, nil
}

func (c connector) Driver() driver.Driver { return fakeDriver{} }

// Close is called by (*sql.DB).Close.
func (c connector) Close() error { return c.db.closePool() }

// fakeDriver only exists because (*sql.DB).Driver must return something.
type fakeDriver struct{}

func (fakeDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("fakesql: only NewT opens a fake")
}

// closePool closes what database/sql does not know of. It does not wait.
func (db *Fake) closePool() (err error) {
	db.closing.Do(func() {
		db.closed.Store(true)
		db.engine.Close()
		cleanup.AtOnce(db.pool.Close)
		if s := db.mock.Load(); s != nil {
			err = s.mocked.Close() // where it may be expected
		}
	})
	return err
}

func (db *Fake) cleanup(t tb.TB) {
	t.Helper()
	if s := db.mock.Load(); s != nil {
		if err := s.mock.ExpectationsWereMet(); err != nil {
			t.Errorf("%s: %v", db.common.Name, err)
		}
	}
	// The error of Close is go-sqlmock's, about a Close that the test did not expect.
	_ = db.db.Close()
	if err := cleanup.Close(db.common.Clock, db.pool.Close); err != nil {
		t.Errorf("%s: rows, a transaction or a connection not closed: %v", db.common.Name, err)
	}
	report := ""
	db.locked(func(s *state) { report = s.unexpected.Report(db.common.Name) })
	if report != "" && !db.cfg.AllowUnexpected {
		t.Errorf("%s", report)
	}
}
