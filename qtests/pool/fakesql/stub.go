package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/pool/internal/ring"
)

// A Stub answers one query, any number of times, in any order, from any
// number of connections at once. Its verbs say how, and return the stub; each
// replaces what an earlier call of the same verb said, for the calls that begin
// from then on, except Errors, which adds to it. Errors of interest are [ErrDeadlock] and
// driver.ErrBadConn, after which database/sql tries again outside a transaction. The
// events of its embedded Faults concern this query alone.
//
// All methods are safe for concurrent use.
type Stub struct {
	fake.Faults
	fake.Verbs[*Stub]
	db        *Fake
	scope     fault.Scope
	query     string // or "=~" and a pattern
	matcher   sqlmock.QueryMatcher
	behaviour *fault.Behaviour
	calls     atomic.Uint64
	limit     atomic.Uint64 // of calls; 0: none
	answer    atomic.Pointer[answer]
	captured  atomic.Pointer[ring.Last[Call]]
}

// change applies f to a copy of the answer, once more if another change came first.
func (s *Stub) change(f func(*answer)) *Stub {
	for {
		old := s.answer.Load()
		a := *old
		f(&a)
		if s.answer.CompareAndSwap(old, &a) {
			return s
		}
	}
}

// Rows answers with copies of the rows, one result set each. What is done to
// them later has no effect, and they may be used again elsewhere. Row errors and
// close errors set on them happen in every answer.
func (s *Stub) Rows(rows ...*sqlmock.Rows) *Stub {
	s.scope.T.Helper()
	tables, err := s.db.copyRows(rows)
	if err == nil && len(tables) == 0 {
		err = errors.New("no rows given: for an empty result give sqlmock.NewRows(columns)")
	}
	if err != nil {
		s.scope.Fatalf("Rows: %v", err)
	}
	return s.change(func(a *answer) { a.tables, a.hasRows, a.function = tables, true, nil })
}

// Answer computes each answer of a query by f, for example by its arguments.
func (s *Stub) Answer(f Func) *Stub {
	s.scope.T.Helper()
	s.scope.Require(f != nil, "Answer", f, "is no function")
	return s.change(func(a *answer) { a.function, a.tables, a.hasRows = f, nil, true })
}

// Result answers a statement that returns no rows, for example
// sqlmock.NewResult(1, 1).
func (s *Stub) Result(r driver.Result) *Stub {
	s.scope.T.Helper()
	s.scope.Require(r != nil, "Result", r, "is no result")
	return s.change(func(a *answer) { a.result, a.execute = r, nil })
}

// AnswerExec computes each answer of a statement without rows by f, for example by its
// arguments.
func (s *Stub) AnswerExec(f ExecFunc) *Stub {
	s.scope.T.Helper()
	s.scope.Require(f != nil, "AnswerExec", f, "is no function")
	return s.change(func(a *answer) { a.result, a.execute = nil, f })
}

// Times limits the stub to the next n calls, n above 0. Those after them are for the
// other stubs that match, and fail if there is none. A call counts when the stub is
// chosen for it, also if a fault ends it.
func (s *Stub) Times(n int) *Stub {
	s.scope.T.Helper()
	s.scope.Require(n > 0, "Times", n, "is not above 0")
	s.limit.Store(s.calls.Load() + uint64(n))
	return s
}

// Then returns a new stub for what comes after the calls of s: the same query with the
// same arguments and latency, and an answer of its own. Unless Times has said otherwise,
// s answers one call.
//
//	db.On(q).Rows(a).Then().Error(fakesql.ErrDeadlock).Times(2).Then().Rows(b)
func (s *Stub) Then() *Stub {
	if s.limit.Load() == 0 {
		s.Times(1)
	}
	next := s.db.newStub(s.query, s.matcher)
	next.behaviour.LatencyOf(s.behaviour)
	before := s.answer.Load()
	next.change(func(a *answer) { a.args, a.matchArgs, a.rowLatency = before.args, before.matchArgs, before.rowLatency })
	s.db.locked(func(m *state) { m.stubs.insertBehind(next, s) })
	return next
}

// WithArgs limits the stub to calls with these arguments, each a value, a
// sql.NamedArg or a sqlmock.Argument; without any, to calls without arguments.
func (s *Stub) WithArgs(args ...driver.Value) *Stub {
	s.scope.T.Helper()
	want := slices.Clone(args)
	for i, v := range want {
		var err error
		switch v := v.(type) {
		case sqlmock.Argument:
		case sql.NamedArg:
			v.Value, err = s.db.mocks.converter.ConvertValue(v.Value)
			want[i] = v
		default:
			want[i], err = s.db.mocks.converter.ConvertValue(v)
		}
		if err != nil {
			s.scope.Fatalf("WithArgs: argument %d: %v", i+1, err)
		}
	}
	return s.change(func(a *answer) { a.args, a.matchArgs = want, true })
}

// RowLatency makes rows arrive over time: each row takes a latency before it can be
// read. The first one begins when the latency of the query is over. Default none.
func (s *Stub) RowLatency(l latency.Distribution) *Stub {
	s.scope.T.Helper()
	if err := l.Err(); err != nil {
		s.scope.Fatalf("RowLatency: %v", err)
	}
	return s.change(func(a *answer) { a.rowLatency = l })
}

// BreakAfter makes every answer break off with err after n rows, counted over
// all its result sets; the connection is lost then.
func (s *Stub) BreakAfter(n int, err error) *Stub {
	s.scope.T.Helper()
	s.scope.Require(n >= 0, "BreakAfter", n, "is negative")
	s.scope.Require(err != nil, "BreakAfter", err, "is no error")
	return s.change(func(a *answer) { a.breakAfter, a.breakErr = n, err })
}

// Calls returns how many statements the stub was chosen for.
func (s *Stub) Calls() uint64 { return s.calls.Load() }

// claim counts a call, and returns its number from 1, unless the stub has answered all
// the calls that it may.
func (s *Stub) claim() (n uint64, ok bool) {
	for {
		n, limit := s.calls.Load(), s.limit.Load()
		if limit > 0 && n >= limit {
			return 0, false
		}
		if s.calls.CompareAndSwap(n, n+1) {
			return n + 1, true
		}
	}
}

// spent says that the stub has answered all the calls that it may, "" if it has not.
func (s *Stub) spent() string {
	if limit := s.limit.Load(); limit > 0 && s.calls.Load() >= limit {
		return fmt.Sprintf("has answered its %s", text.Plural(limit, "call"))
	}
	return ""
}

func (s *Stub) call(op string) fault.Call { return s.behaviour.Call(op) }

// tables computes the rows that a says, for one call of the query.
func (s *Stub) tables(ctx context.Context, a *answer, args []driver.NamedValue) ([]*table, error) {
	if a.function != nil {
		rows, err := a.function(ctx, args)
		if err != nil {
			return nil, err
		}
		tables, err := s.db.copyRows([]*sqlmock.Rows{rows})
		if err != nil {
			return nil, fmt.Errorf("%s: Answer: %w", s.scope.What, err)
		}
		return tables, nil
	}
	if !a.hasRows {
		return nil, s.db.unanswered(s.query, fmt.Errorf("%s: the stub has no rows for a query: call Rows, Answer or Error", s.scope.What))
	}
	return a.tables, nil
}

// copyRows copies result sets with the fake's reader.
func (db *Fake) copyRows(rows []*sqlmock.Rows) ([]*table, error) {
	r := <-db.reader
	defer func() { db.reader <- r }()
	return r.read(rows)
}

// done returns the answer to one call of a statement without rows.
func (s *Stub) done(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	a := s.answer.Load()
	if a.execute != nil {
		r, err := a.execute(ctx, args)
		if r == nil && err == nil {
			err = fmt.Errorf("%s: AnswerExec returned neither a result nor an error", s.scope.What)
		}
		return r, err
	}
	if a.result == nil {
		return nil, s.db.unanswered(s.query, fmt.Errorf("%s: the stub has no result for a statement without rows: call Result, AnswerExec or Error", s.scope.What))
	}
	return a.result, nil
}
