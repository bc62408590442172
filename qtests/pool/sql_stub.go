package pool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests"
)

// An SQLStub answers one query, any number of times, in any order, from any
// number of connections at once. Its verbs say how, and return the stub; each
// replaces what an earlier call of the same verb said, for the calls that begin
// from then on. The events of its embedded Faults concern this query alone.
//
// All methods are safe for concurrent use.
type SQLStub struct {
	Faults
	db        *SQL
	query     string
	behaviour *behaviour
	calls     atomic.Uint64

	mu     sync.Mutex // serialises changes of answer
	answer atomic.Pointer[sqlAnswer]
}

// An SQLFunc computes the answer to one call of a query. It runs on the caller's
// goroutine while database/sql holds the connection, so it must not use that
// connection; ctx is the statement's.
type SQLFunc func(ctx context.Context, args []driver.NamedValue) (*sqlmock.Rows, error)

// sqlAnswer is what a stub answers. It is never changed, only replaced.
type sqlAnswer struct {
	args       []driver.Value // expected, nil for any
	matchArgs  bool
	tables     []*sqlTable
	hasRows    bool
	result     driver.Result
	function   SQLFunc
	breakAfter int // rows; negative: never
	breakErr   error
}

func (s *SQLStub) change(f func(*sqlAnswer)) *SQLStub {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := *s.answer.Load()
	f(&a)
	s.answer.Store(&a)
	return s
}

// Rows answers with copies of the rows, one result set each. What is done to
// them later has no effect, and they may be used again elsewhere. Row errors and
// close errors set on them happen in every answer.
func (s *SQLStub) Rows(rows ...*sqlmock.Rows) *SQLStub {
	s.t.Helper()
	tables, err := s.db.reader.read(rows)
	if err == nil && len(tables) == 0 {
		err = errors.New("no rows given: for an empty result give sqlmock.NewRows(columns)")
	}
	if err != nil {
		qtests.Fatalf(s.t, "pool: %s: Rows: %v", s.what, err)
	}
	return s.change(func(a *sqlAnswer) { a.tables, a.hasRows, a.function = tables, true, nil })
}

// Answer computes each answer of a query by f, for example by its arguments.
func (s *SQLStub) Answer(f SQLFunc) *SQLStub {
	s.t.Helper()
	s.require(f != nil, "Answer", f, "is no function")
	return s.change(func(a *sqlAnswer) { a.function, a.tables, a.hasRows = f, nil, true })
}

// Result answers a statement that returns no rows, for example
// sqlmock.NewResult(1, 1).
func (s *SQLStub) Result(r driver.Result) *SQLStub {
	s.t.Helper()
	s.require(r != nil, "Result", r, "is no result")
	return s.change(func(a *sqlAnswer) { a.result = r })
}

// WithArgs limits the stub to calls with these arguments, each a value, a
// sql.NamedArg or a sqlmock.Argument; without any, to calls without arguments.
func (s *SQLStub) WithArgs(args ...driver.Value) *SQLStub {
	s.t.Helper()
	want := slices.Clone(args)
	for i, v := range want {
		var err error
		switch v := v.(type) {
		case sqlmock.Argument:
		case sql.NamedArg:
			v.Value, err = s.db.cfg.Converter.ConvertValue(v.Value)
			want[i] = v
		default:
			want[i], err = s.db.cfg.Converter.ConvertValue(v)
		}
		if err != nil {
			qtests.Fatalf(s.t, "pool: %s: WithArgs: argument %d: %v", s.what, i+1, err)
		}
	}
	return s.change(func(a *sqlAnswer) { a.args, a.matchArgs = want, true })
}

// Latency replaces the fake's latency for this query.
func (s *SQLStub) Latency(l qtests.Latency) *SQLStub {
	s.t.Helper()
	s.behaviour.setLatency(&s.Faults, l)
	return s
}

// Error makes the query fail from now on, each time.
func (s *SQLStub) Error(err error) *SQLStub {
	s.t.Helper()
	return s.Errors(1, err)
}

// Errors makes the query fail with probability p from 0 to 1, independently of
// other errors: [ErrDeadlock], driver.ErrBadConn (which database/sql tries again
// outside a transaction), or any other. It adds to earlier calls.
func (s *SQLStub) Errors(p float64, err error) *SQLStub {
	s.t.Helper()
	s.behaviour.addError(&s.Faults, p, err)
	return s
}

// BreakAfter makes every answer break off with err after n rows, counted over
// all its result sets; the connection is lost then.
func (s *SQLStub) BreakAfter(n int, err error) *SQLStub {
	s.t.Helper()
	s.require(n >= 0, "BreakAfter", n, "is negative")
	s.require(err != nil, "BreakAfter", err, "is no error")
	return s.change(func(a *sqlAnswer) { a.breakAfter, a.breakErr = n, err })
}

// Calls returns how many statements the stub was chosen for.
func (s *SQLStub) Calls() uint64 { return s.calls.Load() }

func (s *SQLStub) call(op string) faultCall {
	m := s.behaviour.now.Load()
	return faultCall{op: op, on: targets{s}, latency: m.latency, chances: m.chances}
}

// rows returns the answer of a query for one session.
func (s *SQLStub) rows(ctx context.Context, session *sqlSession, args []driver.NamedValue) (driver.Rows, error) {
	a := s.answer.Load()
	tables := a.tables
	if a.function != nil {
		rows, err := a.function(ctx, args)
		if err != nil {
			return nil, err
		}
		if tables, err = s.db.reader.read([]*sqlmock.Rows{rows}); err != nil {
			return nil, fmt.Errorf("%s: Answer: %w", s.what, err)
		}
	}
	if !a.hasRows {
		return nil, fmt.Errorf("%s: the stub has no rows for a query: call Rows, Answer or Error", s.what)
	}
	return &sqlRows{session: session, sets: tables, left: a.breakAfter, broken: a.breakErr}, nil
}

// done returns the answer of a statement without rows.
func (s *SQLStub) done() (driver.Result, error) {
	a := s.answer.Load()
	if a.result == nil {
		return nil, fmt.Errorf("%s: the stub has no result for a statement without rows: call Result or Error", s.what)
	}
	return a.result, nil
}

// mismatch says what is wrong with the arguments of a call, "" if nothing.
func (a *sqlAnswer) mismatch(args []driver.NamedValue) string {
	if !a.matchArgs {
		return ""
	}
	if len(args) != len(a.args) {
		return fmt.Sprintf("wants %d arguments", len(a.args))
	}
	for i, got := range args {
		want := a.args[i]
		switch w := want.(type) {
		case sqlmock.Argument:
			if w.Match(got.Value) {
				continue
			}
		case sql.NamedArg:
			if w.Name == got.Name && reflect.DeepEqual(w.Value, got.Value) {
				continue
			}
			want = fmt.Sprintf("%s=%v", w.Name, w.Value)
		default:
			if reflect.DeepEqual(w, got.Value) {
				continue
			}
		}
		return fmt.Sprintf("wants argument %d to be %T %v", i+1, want, want)
	}
	return ""
}
