package fakesql

import (
	"context"
	"database/sql/driver"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/go-qtests/qtests/qtests/tb"
)

// mockOptions are the options of a go-sqlmock.
type mockOptions struct {
	matcher   sqlmock.QueryMatcher
	converter driver.ValueConverter
	pings     bool
}

// plainMock are the options of a go-sqlmock that the Config says nothing of.
var plainMock = mockOptions{matcher: sqlmock.QueryMatcherEqual, converter: driver.DefaultParameterConverter}

// A mocked is a connection of a go-sqlmock. One goroutine at a time uses it.
type mocked struct {
	driver.Conn
	mock sqlmock.Sqlmock
	// coarse makes the mock compare times to the microsecond.
	coarse *atomic.Bool
}

// strictMock is the one go-sqlmock of Expect.
type strictMock struct {
	mock   sqlmock.Sqlmock
	mocked *mocked
}

// newMock returns a go-sqlmock connection. go-sqlmock registers each of its instances
// globally until the last connection to it is closed. Therefore newMock closes the
// *sql.DB at once, which also ends its goroutine. The connection is the mock itself and
// goes on working.
func newMock(o mockOptions) (*mocked, sqlmock.Sqlmock, error) {
	coarse := &atomic.Bool{}
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(o.matcher),
		sqlmock.ValueConverterOption(instants{o.converter, coarse}), sqlmock.MonitorPingsOption(o.pings))
	if err != nil {
		return nil, nil, err
	}
	_ = db.Close() // the error says that the test did not expect it
	return &mocked{mock.(driver.Conn), mock, coarse}, mock, nil
}

// instants converts what an expectation wants, so that times are compared as instants:
// go-sqlmock compares them as structures.
type instants struct {
	driver.ValueConverter
	coarse *atomic.Bool
}

func (i instants) ConvertValue(v any) (driver.Value, error) {
	out, err := i.ValueConverter.ConvertValue(v)
	return instant(out, i.coarse.Load()), err
}

// instant returns a time without its location and monotonic part, rounded to the
// microsecond if it is to be compared so. What is no time stays as it is.
func instant(v driver.Value, coarse bool) driver.Value {
	t, ok := v.(time.Time)
	if !ok {
		return v
	}
	if coarse {
		t = t.Round(time.Microsecond)
	}
	return t.Round(0).UTC()
}

// ask makes a call of the mock and reports whether it was one that the mock expected.
// Where the mock does not expect times as they are, it is asked again with times that
// are rounded: an unexpected call leaves it as it was.
func (m *mocked) ask(args []driver.NamedValue, call func(args []driver.NamedValue) error) (expected bool, err error) {
	m.coarse.Store(false)
	before := fulfilled(m.mock)
	exact, timed := asInstants(args, false)
	if err = call(exact); err == nil || fulfilled(m.mock) != before {
		return true, err
	}
	if !timed {
		return false, err
	}
	m.coarse.Store(true)
	rounded, _ := asInstants(args, true)
	if again := call(rounded); again == nil || fulfilled(m.mock) != before {
		return true, again
	}
	return false, err
}

// asInstants returns arguments with their times as instants, and whether there are any.
func asInstants(args []driver.NamedValue, coarse bool) (out []driver.NamedValue, timed bool) {
	out = args
	for i, a := range args {
		if _, ok := a.Value.(time.Time); !ok {
			continue
		}
		if !timed {
			out, timed = append([]driver.NamedValue(nil), args...), true
		}
		out[i].Value = instant(a.Value, coarse)
	}
	return out, timed
}

// fulfilled counts the expectations of a mock that have been met. go-sqlmock does not
// say whether an error is scripted or its own, about a call that it did not expect. An
// expected call meets an expectation, also if its error is scripted. The count is -1 if
// it cannot be read.
func fulfilled(mock sqlmock.Sqlmock) (n int) {
	expected := fieldOf(reflect.ValueOf(mock), "expected")
	if expected.Kind() != reflect.Slice {
		return -1
	}
	for i := range expected.Len() {
		triggered := fieldOf(expected.Index(i), "triggered")
		if triggered.Kind() != reflect.Bool {
			return -1
		}
		if triggered.Bool() {
			n++
		}
	}
	return n
}

// fieldOf returns a field of the structure behind v, or the zero Value.
func fieldOf(v reflect.Value, name string) reflect.Value {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.FieldByName(name)
}

// readable reports whether fulfilled can count in this version of go-sqlmock.
var readable = sync.OnceValue(func() bool {
	m, mock, err := newMock(plainMock)
	if err != nil {
		return false
	}
	mock.ExpectBegin()
	mock.ExpectQuery("")
	before := fulfilled(mock)
	_, err = m.Conn.(driver.ConnBeginTx).BeginTx(context.Background(), driver.TxOptions{})
	return err == nil && before == 0 && fulfilled(mock) == 1
})

// requireReadable fails the test where unexpected calls could not be told from scripted
// errors.
func requireReadable(t tb.TB) {
	t.Helper()
	if !readable() {
		tb.Fatalf(t, "fakesql: this version of go-sqlmock is not known: its expectations cannot be counted, so that Expect and Setup would miss unexpected calls")
	}
}
