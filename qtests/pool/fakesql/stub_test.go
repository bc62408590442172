package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// read returns what all result sets of a query scan to.
func read(db *sql.DB, query string, args ...any) (sets [][]string, err error) {
	rows, err := db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for more := true; more; more = rows.NextResultSet() {
		var set []string
		for rows.Next() {
			var v any
			if err := rows.Scan(&v); err != nil {
				return sets, err
			}
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			set = append(set, fmt.Sprint(v))
		}
		sets = append(sets, set)
	}
	return sets, rows.Err()
}

func TestStubCopiesItsRows(t *testing.T) {
	db := NewT(t, Config{})
	rows := prices(1, "two", []byte("three"), nil)
	db.On("SELECT a").Rows(rows)
	rows.AddRow("later")
	db.On("SELECT b").Rows(rows, prices(), prices(6))
	for range 3 {
		got, err := read(db.DB(), "SELECT a")
		require.NoError(t, err)
		require.Equal(t, [][]string{{"1", "two", "three", "<nil>"}}, got)
		got, err = read(db.DB(), "SELECT\n  b")
		require.NoError(t, err)
		require.Equal(t, [][]string{{"1", "two", "three", "<nil>", "later"}, nil, {"6"}}, got)
	}
}

func TestRawBytesDoNotReachTheStub(t *testing.T) {
	db := NewT(t, Config{})
	db.On("SELECT a").Rows(prices([]byte("kept"), []byte("too")))
	for range 2 {
		rows, err := db.DB().Query("SELECT a")
		require.NoError(t, err)
		var raw sql.RawBytes
		var got []string
		for rows.Next() {
			require.NoError(t, rows.Scan(&raw))
			got = append(got, string(raw))
			clear(raw)
		}
		require.Equal(t, []string{"kept", "too"}, got)
		require.NoError(t, rows.Close())
	}
}

func TestRowErrorsHappenInEveryAnswer(t *testing.T) {
	db := NewT(t, Config{})
	broken, notClosed := errors.New("broken"), errors.New("not closed")
	db.On("SELECT a").Rows(prices(1, 2, 3).RowError(1, broken))
	db.On("SELECT b").Rows(prices(1, 2).CloseError(notClosed))
	for range 2 {
		got, err := read(db.DB(), "SELECT a")
		require.ErrorIs(t, err, broken)
		require.Equal(t, [][]string{{"1"}}, got)
		rows, err := db.DB().Query("SELECT b")
		require.NoError(t, err)
		require.ErrorIs(t, rows.Close(), notClosed)
	}
}

func TestColumnDefinitions(t *testing.T) {
	db := NewT(t, Config{})
	db.On("SELECT a").Rows(sqlmock.NewRowsWithColumnDefinition(
		sqlmock.NewColumn("n").OfType("NUMERIC", 1.5).Nullable(true).WithPrecisionAndScale(10, 2),
		sqlmock.NewColumn("s").OfType("VARCHAR", "").WithLength(20)).AddRow(1.5, "x"))
	rows, err := db.DB().Query("SELECT a")
	require.NoError(t, err)
	defer rows.Close()
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	precision, scale, ok := types[0].DecimalSize()
	nullable, known := types[0].Nullable()
	length, _ := types[1].Length()
	require.Equal(t, []any{"NUMERIC", int64(10), int64(2), true, true, true, "float64", "VARCHAR", int64(20)},
		[]any{types[0].DatabaseTypeName(), precision, scale, ok, nullable, known, types[0].ScanType().Name(),
			types[1].DatabaseTypeName(), length})
}

func TestLastMatchingStubAnswers(t *testing.T) {
	db := NewT(t, Config{})
	any1 := db.On(priceQuery).Rows(prices("any"))
	db.On(priceQuery).WithArgs(7).Rows(prices("seven"))
	db.On(priceQuery).WithArgs(sqlmock.AnyArg(), sql.Named("b", "x")).Rows(prices("two"))
	db.On("SELECT now").WithArgs().Rows(prices("now"))
	for want, args := range map[string][]any{"any": {8}, "seven": {int8(7)}, "two": {1, sql.Named("b", "x")}} {
		got, err := read(db.DB(), priceQuery, args...)
		require.NoError(t, err)
		require.Equal(t, [][]string{{want}}, got)
	}
	require.Equal(t, uint64(1), any1.Calls())
	_, err := read(db.DB(), "SELECT now", 1)
	require.ErrorContains(t, err, "SELECT now (wants 0 arguments)")
	db.On(priceQuery).Rows(prices("new"))
	got, err := read(db.DB(), priceQuery, 7)
	require.NoError(t, err)
	require.Equal(t, [][]string{{"new"}}, got, "a stub registered later, when queries have been answered")
}

func TestUnmatchedQueryNamesTheNearestStubs(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		db := NewT(t, Config{Name: "shop"})
		db.On("DELETE FROM carts").Result(sqlmock.NewResult(0, 1))
		db.On("SELECT price FROM items WHERE name = ?").Rows(prices(1))
		db.On(priceQuery).WithArgs(1).Rows(prices(1))
		db.On("INSERT INTO log VALUES (?)").Result(sqlmock.NewResult(0, 1))
		db.On("SELECT stock FROM items WHERE id = ?").Rows(prices(1))
		for range 2 {
			_, err := read(db.DB(), "SELECT price FROM itms WHERE id = ?", 42, "x")
			require.ErrorIs(t, err, fake.ErrUnmatched)
			require.EqualError(t, err, `shop: no stub answers the query
	SELECT price FROM itms WHERE id = ?
with the arguments
	1 = int64 42
	2 = string x
nearest stubs:
	SELECT price FROM items WHERE id = ?
	SELECT price FROM items WHERE name = ?
	SELECT stock FROM items WHERE id = ?`)
		}
		_, err := read(db.DB(), priceQuery, 2)
		require.ErrorContains(t, err, "nearest stubs:\n\tSELECT price FROM items WHERE id = ? (wants argument 1 to be int64 1)\n\t")
		_, err = db.DB().Prepare("SELECT nothing")
		require.ErrorIs(t, err, fake.ErrUnmatched)
		require.Equal(t, uint64(4), db.Stats().Unmatched)
	})
	require.Empty(t, rec.Errors())
	require.Len(t, rec.Logs(), 3, "each query once")
}

func TestUnmatchedWithoutAnyStub(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		_, err := read(NewT(t, Config{}).DB(), "SELECT 1")
		require.EqualError(t, err, "sql: no stub answers the query\n\tSELECT 1\nno stub is registered: call On")
	})
	require.Empty(t, rec.Errors())
}

func TestStubWithoutAnAnswer(t *testing.T) {
	db := NewT(t, Config{})
	db.On("SELECT a")
	_, err := read(db.DB(), "SELECT a")
	require.EqualError(t, err, `sql "SELECT a": the stub has no rows for a query: call Rows, Answer or Error`)
	_, err = db.DB().Exec("SELECT a")
	require.EqualError(t, err, `sql "SELECT a": the stub has no result for a statement without rows: call Result or Error`)
}

func TestAnswerComputesByArgument(t *testing.T) {
	db := NewT(t, Config{})
	failure := errors.New("no such item")
	db.On(priceQuery).Answer(func(_ context.Context, args []driver.NamedValue) (*sqlmock.Rows, error) {
		switch args[0].Value {
		case int64(0):
			return nil, failure
		case int64(-1):
			return nil, nil
		}
		return prices(args[0].Value.(int64) * 10), nil
	})
	p, err := price(context.Background(), db.DB(), 4)
	require.NoError(t, err)
	require.Equal(t, 40, p)
	_, err = price(context.Background(), db.DB(), 0)
	require.ErrorIs(t, err, failure)
	_, err = price(context.Background(), db.DB(), -1)
	require.ErrorContains(t, err, "Answer: rows 0 are nil")
}

// What a user's function does on the way out costs the connection, no more.
func TestAnswerThatPanicsOrExits(t *testing.T) {
	for name, f := range map[string]func(){
		"panic":  func() { panic("mine") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				db := NewT(q, Config{Max: 1})
				db.On("SELECT bad").Answer(func(context.Context, []driver.NamedValue) (*sqlmock.Rows, error) {
					f()
					return nil, nil
				})
				db.On("SELECT good").Rows(prices(1))
				for range 3 {
					done := make(chan any)
					go func() {
						defer close(done)
						defer func() { done <- recover() }()
						_, _ = read(db.DB(), "SELECT bad")
					}()
					if got := <-done; name == "panic" {
						require.Equal(q, "mine", got)
					}
					<-done
				}
				_, err := read(db.DB(), "SELECT good")
				require.NoError(q, err)
				require.Equal(q, uint64(3), db.Stats().Pool.DestroyedDiscarded)
			})
		})
	}
}

func TestSQLRejectsMeaninglessParameters(t *testing.T) {
	for want, f := range map[string]func(*Fake){
		`fakesql: sql: On:  is no query`: func(db *Fake) { db.On("") },
		`fakesql: sql "a": Rows: no rows given: for an empty result give sqlmock.NewRows(columns)`: func(db *Fake) { db.On("a").Rows() },
		`fakesql: sql "a": Rows: rows 1 are nil`:                                                   func(db *Fake) { db.On("a").Rows(prices(), nil) },
		`fakesql: sql "a": Answer: <nil> is no function`:                                           func(db *Fake) { db.On("a").Answer(nil) },
		`fakesql: sql "a": Result: <nil> is no result`:                                             func(db *Fake) { db.On("a").Result(nil) },
		`fakesql: sql "a": Latency: latency: Fixed(-1s): negative`:                                 func(db *Fake) { db.On("a").Latency(latency.Fixed(-time.Second)) },
		`fakesql: sql "a": Errors: -0.5 is not between 0 and 1`:                                    func(db *Fake) { db.On("a").Errors(-0.5, errors.New("x")) },
		`fakesql: sql "a": Errors: <nil> is no error`:                                              func(db *Fake) { db.On("a").Error(nil) },
		`fakesql: sql "a": BreakAfter: -1 is negative`:                                             func(db *Fake) { db.On("a").BreakAfter(-1, driver.ErrBadConn) },
		`fakesql: sql "a": BreakAfter: <nil> is no error`:                                          func(db *Fake) { db.On("a").BreakAfter(1, nil) },
		`fakesql: sql: Conn: 0 is not above 0`:                                                     func(db *Fake) { db.Conn(0) },
		`fakesql: sql: Kill: 0 is not above 0`:                                                     func(db *Fake) { db.Kill(0) },
		`fakesql: sql commit: Errors: 2 is not between 0 and 1`:                                    func(db *Fake) { db.OnCommit().Errors(2, errors.New("x")) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(NewT(t, Config{}))
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		NewT(t, Config{}).On("a").WithArgs(struct{ a, b int }{})
	})
	require.Contains(t, rec.Errors(), `fakesql: sql "a": WithArgs: argument 1: `)
}

func TestConfigErrors(t *testing.T) {
	bad := errors.New("bad")
	for want, f := range map[string]func(tb.TB){
		"fakesql: Config.Max: -1 is negative":                            func(t tb.TB) { NewT(t, Config{Max: -1}) },
		"fakesql: Config.MaxWaiters: -2 is negative":                     func(t tb.TB) { NewT(t, Config{MaxWaiters: -2}) },
		"fakesql: Config.AcquireTimeout: -1ns is negative":               func(t tb.TB) { NewT(t, Config{AcquireTimeout: -1}) },
		"fakesql: Config.Latency: latency: Fixed(-1ns): negative":        func(t tb.TB) { NewT(t, Config{Latency: latency.Fixed(-1)}) },
		"fakesql: Config.ErrorRate: 1.1 is not between 0 and 1":          func(t tb.TB) { NewT(t, Config{ErrorRate: 1.1}) },
		"fakesql: Config.Error: bad needs an ErrorRate":                  func(t tb.TB) { NewT(t, Config{Error: bad}) },
		"fakesql: Config.MaxLifetime: -1ns is negative":                  func(t tb.TB) { NewT(t, Config{MaxLifetime: -1}) },
		"fakesql: Config.MaxIdleTime: -1ns is negative":                  func(t tb.TB) { NewT(t, Config{MaxIdleTime: -1}) },
		"fakesql: Config.ConnectLatency: latency: Fixed(-1ns): negative": func(t tb.TB) { NewT(t, Config{ConnectLatency: latency.Fixed(-1)}) },
	} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			f(t)
			t.Errorf("went on")
		})
		require.Equal(t, want, rec.Errors())
	}
}
