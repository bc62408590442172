package pool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/userline"
)

// SQLConfig describes an [SQL]. The zero value is usable.
type SQLConfig struct {
	// Name is the label in metrics, errors, events and the pool's log. Default "sql".
	Name string
	// Max is how many connections there may be. Default 10.
	Max int
	// MaxWaiters, AcquireTimeout, MaxLifetime, MaxIdleTime and Stacks are those of
	// [Config], for the pool of connections.
	MaxWaiters     int
	AcquireTimeout time.Duration
	MaxLifetime    time.Duration
	MaxIdleTime    time.Duration
	Stacks         bool

	// Latency of each query, statement, begin, commit, rollback and ping, and of
	// the first preparation of a statement on a connection. Default none.
	Latency qtests.Latency
	// ConnectLatency is how long a new connection takes to open. Default none. One
	// that takes longer than 30s fails.
	ConnectLatency qtests.Latency
	// ErrorRate is the probability from 0 to 1 that a query or statement fails
	// with Error when its latency is over. Error defaults to [ErrInjected].
	ErrorRate float64
	Error     error

	// Matcher decides whether a query is the one that a stub or an expectation
	// names. Default sqlmock.QueryMatcherEqual: the same text, white space aside.
	Matcher sqlmock.QueryMatcher
	// Converter turns arguments into driver values. Default
	// driver.DefaultParameterConverter.
	Converter driver.ValueConverter
	// Setup, if set, is called with each new connection's number, from 1, and its
	// own go-sqlmock, which from then on sees all that no stub answers on this
	// connection, transactions and pings included. What it expects is not verified
	// at the end: which connection serves a query is the pool's choice.
	Setup func(conn int, mock sqlmock.Sqlmock)
	// MonitorPings makes go-sqlmock, where it answers, want each ping expected.
	MonitorPings bool

	// Clock, Stream and EventLog replace the test's clock, the stream "sql NAME" of
	// its seed, and its event log.
	Clock    clock.Clock
	Stream   qtests.Stream
	EventLog *qtests.EventLog
}

func (cfg SQLConfig) withDefaults(t qtests.TB) SQLConfig {
	cfg.Name = or(cfg.Name, "sql")
	cfg.Max = or(cfg.Max, DefaultMax)
	cfg.Clock = or(cfg.Clock, qtests.ClockOf(t))
	cfg.Stream = or(cfg.Stream, qtests.StreamOf(t, "sql "+cfg.Name))
	cfg.EventLog = or(cfg.EventLog, qtests.EventLogOf(t))
	if cfg.Error == nil {
		cfg.Error = ErrInjected
	}
	if cfg.Matcher == nil {
		cfg.Matcher = sqlmock.QueryMatcherEqual
	}
	if cfg.Converter == nil {
		cfg.Converter = driver.DefaultParameterConverter
	}
	return cfg
}

func (cfg SQLConfig) validate() error {
	c := field.Check("pool: SQLConfig")
	c.Count("Max", cfg.Max)
	c.Count("MaxWaiters", cfg.MaxWaiters)
	c.Duration("AcquireTimeout", cfg.AcquireTimeout)
	c.Duration("MaxLifetime", cfg.MaxLifetime)
	c.Duration("MaxIdleTime", cfg.MaxIdleTime)
	c.Err("Latency", cfg.Latency.Err())
	c.Err("ConnectLatency", cfg.ConnectLatency.Err())
	c.Share("ErrorRate", cfg.ErrorRate)
	c.That(cfg.Error == nil || cfg.ErrorRate > 0, "Error", cfg.Error, "needs an ErrorRate")
	return c.Result()
}

// An SQL is a fake database: a *sql.DB whose connections come from a [Pool], each
// with a go-sqlmock of its own underneath.
//
// The pool is the only queue: what database/sql takes for a connection is a handle
// that takes a connection from the pool with the first operation of a statement,
// a transaction or a *sql.Conn, and gives it back at the end. SetMaxIdleConns and
// the other settings for idle connections therefore have no effect, and
// SetMaxOpenConns is best left alone: it adds a queue that is served in random
// order.
//
// A call waits for its latency on the test's clock, holding its connection, and
// returns as soon as its context, or that of its transaction, ends. Two
// goroutines that use one transaction or one *sql.Conn at once wait for each
// other at a mutex of database/sql, which in a bubble is a wait that lets no time
// pass: give each goroutine its own.
//
// The events of the embedded [Faults] concern all calls, opening a connection
// included. All methods are safe for concurrent use. An *SQL is a
// prometheus.Collector.
type SQL struct {
	Faults
	name   string
	cfg    SQLConfig
	engine *faultEngine
	pool   *Pool[*sqlConn]
	db     *sql.DB
	stubs  sqlRegistry
	reader rowsReader

	connect, begin, commit, rollback, ping, prepare, plain *Op
	killedErr                                              error

	closing sync.Once
	closed  atomic.Bool
	mock    atomic.Pointer[strictMock]

	mu struct {
		sync.Mutex
		lastID    int
		open      []*sqlConn // by number
		unmatched uint64
		logged    []string
	}
}

// strictMock is the one go-sqlmock of Expect.
type strictMock struct {
	mock   sqlmock.Sqlmock
	driver driver.Conn
}

// NewSQL returns an open fake, which closes when t ends; t fails then if leases
// are still out, which is to say that rows, a transaction or a *sql.Conn were not
// closed, or if an expectation of [SQL.Expect] was not met. A cfg that is
// negative or contradictory fails t at once.
func NewSQL(t qtests.TB, cfg SQLConfig) *SQL {
	t.Helper()
	if err := cfg.validate(); err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	cfg = cfg.withDefaults(t)
	db := &SQL{name: cfg.Name, cfg: cfg, stubs: sqlRegistry{matcher: cfg.Matcher}}
	db.engine = newFaultEngine(cfg.Name, cfg.Clock, cfg.Stream, cfg.EventLog)
	db.engine.max, db.engine.resize = cfg.Max, func(n int) { _ = db.pool.Resize(0, n) }
	db.Faults = Faults{engine: db.engine, t: t, what: cfg.Name}
	db.killedErr = db.killedError()
	db.makeOps()
	pool, err := New(Config[*sqlConn]{
		Name: cfg.Name, Max: cfg.Max, New: db.openConn, Destroy: db.forget, NoBackoff: true, NoJitter: true,
		MaxWaiters: cfg.MaxWaiters, AcquireTimeout: cfg.AcquireTimeout, MaxLifetime: cfg.MaxLifetime,
		MaxIdleTime: cfg.MaxIdleTime, Stacks: cfg.Stacks, Clock: cfg.Clock, EventLog: cfg.EventLog,
	})
	if err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	db.pool = pool
	db.db = sql.OpenDB(sqlConnector{db})
	db.db.SetMaxIdleConns(cfg.Max)
	t.Cleanup(func() { t.Helper(); db.cleanup(t) })
	return db
}

func (db *SQL) makeOps() {
	rated := newBehaviour(db.cfg.Latency, db.cfg.ErrorRate, db.cfg.Error)
	quiet := newBehaviour(db.cfg.Latency, 0, nil)
	db.plain = newOp(&db.Faults, "statement", rated)
	for _, o := range []struct {
		op   **Op
		name string
	}{{&db.begin, "begin"}, {&db.commit, "commit"}, {&db.rollback, "rollback"}, {&db.ping, "ping"}, {&db.prepare, "prepare"}} {
		*o.op = newOp(&db.Faults, o.name, quiet.copy())
	}
	db.connect = newOp(&db.Faults, "connect", newBehaviour(db.cfg.ConnectLatency, 0, nil))
}

// DB returns the database handle, always the same. Closing it closes the fake.
func (db *SQL) DB() *sql.DB { return db.db }

// On returns a new stub for a query, to be told what to answer. Of several stubs
// that match a call, the one made last answers. The query is matched by
// SQLConfig.Matcher.
func (db *SQL) On(query string) *SQLStub {
	db.t.Helper()
	db.require(query != "", "On", query, "is no query")
	s := &SQLStub{db: db, query: query, behaviour: newBehaviour(db.cfg.Latency, db.cfg.ErrorRate, db.cfg.Error)}
	s.Faults = db.Faults.of(s, fmt.Sprintf("%q", query))
	s.answer.Store(&sqlAnswer{breakAfter: -1})
	db.stubs.add(s)
	return s
}

// OnConnect scripts the opening of connections: slow, refused by an Error or an
// Outage, frozen.
func (db *SQL) OnConnect() *Op { return db.connect }

// OnBegin, OnCommit, OnRollback, OnPing and OnPrepare script these operations.
func (db *SQL) OnBegin() *Op { return db.begin }

// OnCommit scripts commits: see OnBegin.
func (db *SQL) OnCommit() *Op { return db.commit }

// OnRollback scripts rollbacks: see OnBegin.
func (db *SQL) OnRollback() *Op { return db.rollback }

// OnPing scripts pings: see OnBegin.
func (db *SQL) OnPing() *Op { return db.ping }

// OnPrepare scripts the preparation of statements: see OnBegin.
func (db *SQL) OnPrepare() *Op { return db.prepare }

// Conn returns the faults of the n-th connection that opens, from 1, once it is
// open.
func (db *SQL) Conn(n int) *Faults {
	db.t.Helper()
	db.require(n > 0, "Conn", n, "is not above 0")
	f := db.Faults.of(connTarget(n), fmt.Sprintf("connection %d", n))
	return &f
}

// Brownout lets the number of connections fall to n, above 0, for its duration:
// those in use beyond n close when they are given back.
func (db *SQL) Brownout(n int) qtests.Event {
	db.t.Helper()
	return db.capacity(n)
}

// Kill breaks n of the open connections, above 0, those opened first before the
// others: what they are executing fails with driver.ErrBadConn, which
// database/sql tries again on another connection unless it was in a transaction.
// The event has no end.
func (db *SQL) Kill(n int) qtests.Event {
	db.t.Helper()
	db.require(n > 0, "Kill", n, "is not above 0")
	return qtests.NewEvent(fmt.Sprintf("%s: %d connections killed", db.name, n), func() { db.kill(n) }, nil)
}

func (db *SQL) kill(n int) {
	db.mu.Lock()
	var wakes []func()
	for _, c := range db.mu.open {
		if len(wakes) < n && c.dead.CompareAndSwap(false, true) {
			wakes = append(wakes, func() { close(c.killed) })
		}
	}
	db.mu.Unlock()
	qtests.InTurn(db.cfg.Clock, wakes...)
}

// openConn is the pool's New.
func (db *SQL) openConn(ctx context.Context) (*sqlConn, error) {
	call := db.connect.call("connect")
	if err := db.engine.do(ctx, &call); err != nil {
		return nil, err
	}
	db.mu.Lock()
	db.mu.lastID++
	id := db.mu.lastID
	db.mu.Unlock()

	c := &sqlConn{id: id, target: connTarget(id), killed: make(chan struct{})}
	if s := db.mock.Load(); s != nil {
		c.mock, c.driver = s.mock, s.driver
	} else {
		var err error
		if c.driver, c.mock, err = newMock(&db.cfg); err != nil {
			return nil, fmt.Errorf("%s: connect: %w", db.name, err)
		}
		if db.cfg.Setup != nil {
			db.cfg.Setup(id, c.mock)
		}
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	i, _ := slices.BinarySearchFunc(db.mu.open, id, func(c *sqlConn, id int) int { return c.id - id })
	db.mu.open = slices.Insert(db.mu.open, i, c)
	return c, nil
}

// forget is the pool's Destroy.
func (db *SQL) forget(c *sqlConn) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.mu.open = slices.DeleteFunc(db.mu.open, func(o *sqlConn) bool { return o == c })
}

// mocksAnswer reports whether go-sqlmock sees what no stub answers.
func (db *SQL) mocksAnswer() bool { return db.cfg.Setup != nil || db.strict() != nil }

func (db *SQL) strict() *strictMock { return db.mock.Load() }

func (db *SQL) unmatchedQuery(query string, args []driver.NamedValue) error {
	err := db.stubs.unmatched(db.name, query, args)
	db.mu.Lock()
	db.mu.unmatched++
	log := len(db.mu.logged) < maxUnmatchedLogged && !slices.Contains(db.mu.logged, query)
	if log {
		db.mu.logged = append(db.mu.logged, query)
	}
	db.mu.Unlock()
	if log && !db.closed.Load() {
		userline.Logf(db.t, "%v", err)
	}
	return err
}

// closePool closes what database/sql does not know of. It does not wait.
func (db *SQL) closePool() (err error) {
	db.closing.Do(func() {
		db.closed.Store(true)
		db.engine.close()
		closeAtOnce(db.pool.engine)
		if s := db.strict(); s != nil {
			err = s.driver.Close() // where it may be expected
		}
	})
	return err
}

func (db *SQL) cleanup(t qtests.TB) {
	t.Helper()
	if s := db.strict(); s != nil {
		if err := s.mock.ExpectationsWereMet(); err != nil {
			t.Errorf("%s: %v", db.name, err)
		}
	}
	// go-sqlmock's Close complains of a Close that nobody expected.
	_ = db.db.Close()
	if err := closeInCleanup(db.pool.engine); err != nil {
		t.Errorf("%s: rows, a transaction or a connection not closed: %v", db.name, err)
	}
}

// Expect makes the fake strict and returns the go-sqlmock of its one connection,
// always the same. From then on every statement that no stub answers, and every
// begin, commit and rollback, must be expected of it, in order unless it is told
// otherwise, and what is still expected when the test ends fails it. Latency and
// faults apply as before; a connection that they break is replaced, and the new
// one expects the rest. Expect fails the test when a connection has
// been opened already, or together with SQLConfig.Setup.
func (db *SQL) Expect() sqlmock.Sqlmock {
	db.t.Helper()
	db.mu.Lock()
	defer db.mu.Unlock()
	if s := db.strict(); s != nil {
		return s.mock
	}
	if db.cfg.Setup != nil || db.mu.lastID > 0 {
		qtests.Fatalf(db.t, "pool: %s: Expect: a connection has been opened, or Setup is set", db.name)
	}
	conn, mock, err := newMock(&db.cfg)
	if err == nil {
		err = db.pool.Resize(0, 1)
	}
	if err != nil {
		qtests.Fatalf(db.t, "pool: %s: Expect: %v", db.name, err)
	}
	db.engine.shape(func(*script) { db.engine.max = 1 })
	db.db.SetMaxOpenConns(1)
	db.db.SetMaxIdleConns(1)
	db.mock.Store(&strictMock{mock, conn})
	return mock
}
