package fakesql

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/pool/internal/unexpected"
)

// A Fake is a fake database: a *sql.DB whose connections come from a [pool.Pool], each
// with a go-sqlmock of its own underneath.
//
// The pool is the only queue. For database/sql a connection is a handle. The handle
// takes a connection from the pool with the first operation of a statement, a
// transaction or a *sql.Conn, and gives it back at the end. Therefore SetMaxIdleConns
// and the other settings for idle connections have no effect. What (*sql.DB).Stats and
// SetMaxOpenConns do is in the package doc, under "The numbers of the connections".
//
// A call holds its connection while it waits for its latency on the test's clock. It
// returns as soon as its context, or the context of its transaction, ends. Two
// goroutines that use one transaction or one *sql.Conn at once wait for each other at a
// mutex of database/sql. In a bubble no time passes during that wait: give each
// goroutine its own.
//
// The events of the embedded Faults concern all calls, opening a connection included.
// All methods are safe for concurrent use. A *Fake is a prometheus.Collector.
type Fake struct {
	fake.Faults
	cfg    Config
	common fault.Config // the part of cfg that all fakes have, with its defaults
	mocks  mockOptions
	scope  fault.Scope
	engine *fault.Engine
	pool   *pool.Pool[*conn]
	db     *sql.DB
	reader chan *rowsReader // the token of the one who copies rows
	ops    operations

	killedErr error
	closing   sync.Once
	closed    atomic.Bool
	watching  atomic.Bool
	mock      atomic.Pointer[strictMock]

	// mu is never held while user code runs, or while a goroutine waits: see locked.
	mu struct {
		sync.Mutex
		state
	}
}

// state is what changes in a Fake.
type state struct {
	stubs      registry
	lastID     int
	open       []*conn // by number
	unexpected unexpected.List
	asked      *asked // nil: not watched
}

// locked calls f with the state. Nothing else in this package locks.
func (db *Fake) locked(f func(s *state)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	f(&db.mu.state)
}

// DB returns the database handle, always the same. Closing it closes the fake. Its Stats
// count callers that wait as connections in use: [Fake.DBStats] does not.
func (db *Fake) DB() *sql.DB { return db.db }

// On returns a new stub for a query, to be told what to answer. Of several stubs
// that match a call, the one made last answers. The query is matched by
// Config.Matcher.
func (db *Fake) On(query string) *Stub {
	db.scope.T.Helper()
	db.scope.Require(query != "", "On", query, "is no query")
	return db.register(db.newStub(query, db.mocks.matcher))
}

// OnPattern is On for all queries that a regular expression finds a match in, in the
// syntax of package regexp, after runs of white space have become one blank: one stub
// answers "SAVEPOINT sp1" and "SAVEPOINT sp2". Config.Matcher has no part in it.
func (db *Fake) OnPattern(expr string) *Stub {
	db.scope.T.Helper()
	rx, err := regexp.Compile(expr)
	if err != nil {
		db.scope.Fatalf("OnPattern: %v", err)
	}
	return db.register(db.newStub("=~"+expr, sqlmock.QueryMatcherFunc(func(_, actual string) error {
		if !rx.MatchString(strings.Join(strings.Fields(actual), " ")) {
			return errNoMatch
		}
		return nil
	})))
}

var errNoMatch = errors.New("fakesql: the pattern does not match")

func (db *Fake) newStub(query string, matcher sqlmock.QueryMatcher) *Stub {
	s := &Stub{db: db, query: query, matcher: matcher, behaviour: db.common.Behaviour()}
	s.scope = db.scope.Of(s.behaviour, fmt.Sprintf("%q", query))
	s.Faults, s.Verbs = fake.FaultsOf(s.scope), fake.VerbsOf(s.scope, s.behaviour, s)
	s.answer.Store(&answer{breakAfter: -1})
	return s
}

func (db *Fake) register(s *Stub) *Stub {
	db.locked(func(m *state) { m.stubs.add(s) })
	return s
}

// OnConnect scripts the opening of connections: slow, refused by an Error or an
// Outage, frozen.
func (db *Fake) OnConnect() *fake.Op { return db.ops.connect.script }

// OnBegin, OnCommit, OnRollback, OnPing and OnPrepare script these operations.
func (db *Fake) OnBegin() *fake.Op { return db.ops.begin.script }

// OnCommit scripts commits: see OnBegin.
func (db *Fake) OnCommit() *fake.Op { return db.ops.commit.script }

// OnRollback scripts rollbacks: see OnBegin.
func (db *Fake) OnRollback() *fake.Op { return db.ops.rollback.script }

// OnPing scripts pings: see OnBegin.
func (db *Fake) OnPing() *fake.Op { return db.ops.ping.script }

// OnPrepare scripts the preparation of statements: see OnBegin.
func (db *Fake) OnPrepare() *fake.Op { return db.ops.prepare.script }

// Conn returns the faults of the n-th connection that opens, from 1, once it is
// open.
func (db *Fake) Conn(n int) *fake.Faults {
	db.scope.T.Helper()
	db.scope.Require(n > 0, "Conn", n, "is not above 0")
	f := fake.FaultsOf(db.scope.Of(connTarget(n), fmt.Sprintf("connection %d", n)))
	return &f
}

// Brownout lets the number of connections fall to n, above 0, for its duration:
// those in use beyond n close when they are given back.
func (db *Fake) Brownout(n int) event.Event {
	db.scope.T.Helper()
	return db.scope.Brownout(n)
}

// Kill breaks n of the open connections, above 0, those opened first before the
// others: what they are executing fails with driver.ErrBadConn, which
// database/sql tries again on another connection unless it was in a transaction.
// The event has no end.
func (db *Fake) Kill(n int) event.Event {
	db.scope.T.Helper()
	db.scope.Require(n > 0, "Kill", n, "is not above 0")
	return event.New(fmt.Sprintf("%s: %d connections killed", db.common.Name, n), func() { db.kill(n) }, nil)
}
