package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A Stub answers one query, any number of times, in any order, from any
// number of connections at once. Its verbs say how, and return the stub; each
// replaces what an earlier call of the same verb said, for the calls that begin
// from then on. The events of its embedded Faults concern this query alone.
//
// All methods are safe for concurrent use.
type Stub struct {
	fake.Faults
	db        *Fake
	scope     fault.Scope
	query     string
	behaviour *fault.Behaviour
	calls     atomic.Uint64
	answer    atomic.Pointer[answer]
}

// A Func computes the answer to one call of a query. It runs on the caller's
// goroutine while database/sql holds the connection, so it must not use that
// connection; ctx is the statement's.
type Func func(ctx context.Context, args []driver.NamedValue) (*sqlmock.Rows, error)

// answer is what a stub answers. It is never changed, only replaced.
type answer struct {
	args       []driver.Value // expected, nil for any
	matchArgs  bool
	tables     []*table
	hasRows    bool
	result     driver.Result
	function   Func
	breakAfter int // rows; negative: never
	breakErr   error
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
	return s.change(func(a *answer) { a.result = r })
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

// Latency replaces the fake's latency for this query.
func (s *Stub) Latency(l latency.Distribution) *Stub {
	s.scope.T.Helper()
	s.behaviour.SetLatency(s.scope, l)
	return s
}

// Error makes the query fail from now on, each time.
func (s *Stub) Error(err error) *Stub {
	s.scope.T.Helper()
	return s.Errors(1, err)
}

// Errors makes the query fail with probability p from 0 to 1, independently of
// other errors: [ErrDeadlock], driver.ErrBadConn (which database/sql tries again
// outside a transaction), or any other. It adds to earlier calls.
func (s *Stub) Errors(p float64, err error) *Stub {
	s.scope.T.Helper()
	s.behaviour.AddError(s.scope, p, err)
	return s
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

func (s *Stub) call(op string) fault.Call { return s.behaviour.Call(op) }

// rows returns the answer of a query for one session.
func (s *Stub) rows(ctx context.Context, session *session, args []driver.NamedValue) (driver.Rows, error) {
	a := s.answer.Load()
	tables := a.tables
	if a.function != nil {
		rows, err := a.function(ctx, args)
		if err != nil {
			return nil, err
		}
		if tables, err = s.db.copyRows([]*sqlmock.Rows{rows}); err != nil {
			return nil, fmt.Errorf("%s: Answer: %w", s.scope.What, err)
		}
	}
	if !a.hasRows {
		return nil, fmt.Errorf("%s: the stub has no rows for a query: call Rows, Answer or Error", s.scope.What)
	}
	return &resultRows{session: session, sets: tables, left: a.breakAfter, broken: a.breakErr}, nil
}

// copyRows copies result sets with the fake's reader.
func (db *Fake) copyRows(rows []*sqlmock.Rows) ([]*table, error) {
	r := <-db.reader
	defer func() { db.reader <- r }()
	return r.read(rows)
}

// done returns the answer of a statement without rows.
func (s *Stub) done() (driver.Result, error) {
	a := s.answer.Load()
	if a.result == nil {
		return nil, fmt.Errorf("%s: the stub has no result for a statement without rows: call Result or Error", s.scope.What)
	}
	return a.result, nil
}

// mismatch says what is wrong with the arguments of a call, "" if nothing.
func (a *answer) mismatch(args []driver.NamedValue) string {
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
