package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/latency"
)

// A Func computes the answer to one call of a query. It runs on the caller's
// goroutine while database/sql holds the connection, so it must not use that
// connection; ctx is the statement's.
type Func func(ctx context.Context, args []driver.NamedValue) (*sqlmock.Rows, error)

// An ExecFunc computes the answer to one call of a statement without rows, on the terms
// of a [Func].
type ExecFunc func(ctx context.Context, args []driver.NamedValue) (driver.Result, error)

// answer is what a stub answers. It is never changed, only replaced.
type answer struct {
	args       []driver.Value // expected, nil for any
	matchArgs  bool
	tables     []*table
	hasRows    bool
	result     driver.Result
	function   Func
	execute    ExecFunc
	rowLatency latency.Distribution
	breakAfter int // rows; negative: never
	breakErr   error
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
		switch want := a.args[i].(type) {
		case sqlmock.Argument:
			if !want.Match(asStrings(args[i : i+1])[0].Value) {
				return fmt.Sprintf("wants argument %d to match %T %v", i+1, want, want)
			}
		case sql.NamedArg:
			if want.Name != got.Name || !same(want.Value, got.Value) {
				return fmt.Sprintf("wants argument %d to be %s = %s", i+1, want.Name, shown(want.Value))
			}
		default:
			if !same(want, got.Value) {
				return fmt.Sprintf("wants argument %d to be %s", i+1, shown(want))
			}
		}
	}
	return ""
}

// same compares two arguments: times by their instants, to the microsecond, as databases
// keep them.
func same(want, got any) bool {
	if u, ok := got.(Untyped); ok {
		return u.is(want)
	}
	w, ok := want.(time.Time)
	g, also := got.(time.Time)
	if !ok || !also {
		return reflect.DeepEqual(want, got)
	}
	return sameInstant(w, g)
}

// shown returns an argument as messages show it, with its type. Two that differ look
// different.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case time.Time:
		return "time.Time " + v.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
	case []byte:
		return fmt.Sprintf("[]byte %q", v)
	case Untyped:
		return fmt.Sprintf("untyped %q", string(v))
	}
	return fmt.Sprintf("%T %v", v, v)
}
