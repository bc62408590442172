package fakesql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A connection remembers all statements that it has prepared, and prepares none of them twice.
func TestPreparedStatementsStayPrepared(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Max: 1, Latency: latency.Fixed(time.Second)})
		for _, query := range []string{"A", "B"} {
			db.On(query).Result(sqlmock.NewResult(0, 1))
		}
		prepare := func(query string) (took time.Duration) {
			began := q.Elapsed()
			stmt, err := db.DB().Prepare(query)
			require.NoError(q, err)
			took = q.Elapsed() - began
			require.NoError(q, stmt.Close())
			return took
		}
		require.Equal(q, []time.Duration{time.Second, time.Second, 0, 0}, []time.Duration{prepare("A"), prepare("B"), prepare("A"), prepare("B")})
	})
}

// A statement that was prepared on another connection is prepared again, and that may fail.
func TestStatementOnAConnectionThatCannotPrepare(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Max: 2})
		db.On("A").Result(sqlmock.NewResult(0, 1))
		stmt, err := db.DB().Prepare("A")
		require.NoError(q, err)
		defer func() { _ = stmt.Close() }()
		_, err = stmt.Exec()
		require.NoError(q, err)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = stmt.ExecContext(ctx)
		require.ErrorIs(q, err, context.Canceled)
	})
}

// A matcher is asked once for a text, and the stubs that match are remembered until there is a new one.
func TestMatchersAreAskedOnce(t *testing.T) {
	asked := 0
	matcher := sqlmock.QueryMatcherFunc(func(expected, actual string) error {
		asked++
		return sqlmock.QueryMatcherEqual.Match(expected, actual)
	})
	db := fakesql.NewT(t, fakesql.Config{Matcher: matcher})
	db.On("A").Result(sqlmock.NewResult(0, 1))
	exec := func() int {
		asked = 0
		_, err := db.DB().Exec("A")
		require.NoError(t, err)
		return asked
	}
	require.Equal(t, []int{1, 0, 0}, []int{exec(), exec(), exec()})
	db.On("B").Result(sqlmock.NewResult(0, 1))
	require.Equal(t, []int{2, 0}, []int{exec(), exec()})
}

// What Watch keeps is bounded, and of each statement of a request the most repeats count.
func TestWhatIsKeptOfStatements(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Max: 1, Matcher: sqlmock.QueryMatcherFunc(func(_, _ string) error { return nil })})
		db.On("any").Result(sqlmock.NewResult(0, 1))
		db.WatchQueries()
		page := func(texts, times int) {
			ctx, end := fakesql.Request(q.Context(), "page")
			defer end()
			for i := range texts {
				for arg := range times {
					_, err := db.DB().ExecContext(ctx, fmt.Sprint("UPDATE t", i), arg)
					require.NoError(q, err)
				}
			}
		}
		repeats := func() (times []int) {
			for _, r := range db.Asked().Repeats(0) {
				times = append(times, r.Times)
			}
			return times
		}
		page(1, 1)
		require.Empty(q, repeats(), "once is no repeat")
		page(2, 3)
		page(1, 5)
		page(1, 2)
		require.Equal(q, []int{5, 3}, repeats(), "the most of a request")
		page(1000, 1)
		require.Zero(q, db.Asked().Dropped)
		_, err := db.DB().Exec("UPDATE late")
		require.NoError(q, err)
		_, err = db.DB().Exec("UPDATE later")
		require.NoError(q, err)
		require.Len(q, db.Asked().Statements, 1000)
		require.EqualValues(q, 2, db.Asked().Dropped)
	})
}

// A transaction that asks at once holds its connection for nothing, and one of d is not longer than d.
func TestHeldForJustAsLong(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{Max: 1})
		db.On("UPDATE items").Result(sqlmock.NewResult(0, 1))
		db.WatchQueries()
		for _, pause := range []time.Duration{0, time.Second} {
			tx, err := db.DB().Begin()
			require.NoError(q, err)
			q.Clock().Sleep(pause)
			require.NoError(q, tx.Commit())
		}
		require.Len(q, db.Asked().Held(-1), 1)
		require.Len(q, db.Asked().Held(time.Second-1), 1)
		require.Empty(q, db.Asked().Held(time.Second))
	})
}

// An expectation is met to the microsecond, also by one that answers with an error.
func TestTimesOfExpectations(t *testing.T) {
	at := time.Date(2000, 1, 1, 0, 0, 0, 123_456_000, time.UTC)
	for off, fails := range map[time.Duration]bool{0: false, 1: false, time.Microsecond: true} {
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			db := fakesql.NewT(t, fakesql.Config{})
			db.Expect().ExpectExec("UPDATE items").WithArgs(at).WillReturnError(errors.New("refused"))
			_, err := db.DB().Exec("UPDATE items", at.Add(off))
			require.Error(t, err)
		})
		require.Equal(t, fails, rec.Failed(), "%v: %s", off, rec.Errors())
	}
}

// Three stubs are named at most, those that match before those that are only similar.
func TestThreeStubsAreNamed(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		db := fakesql.NewT(t, fakesql.Config{AllowUnexpected: true})
		for i := range 2 {
			db.On("SELECT a FROM t WHERE id = ?").WithArgs(i).Result(sqlmock.NewResult(0, 1))
		}
		for _, x := range []string{"b", "c", "d"} {
			db.On("SELECT " + x + " FROM t WHERE id = ?").Result(sqlmock.NewResult(0, 1))
		}
		_, err := db.DB().Exec("SELECT a FROM t WHERE id = ?", 7)
		require.ErrorIs(t, err, fake.ErrUnmatched)
		require.Regexp(t, `(?s)nearest stubs:\n\tSELECT a [^\n]*\n\tSELECT a [^\n]*\n\tSELECT [bcd] [^\n]*$`, err.Error())
	})
	require.Empty(t, rec.Errors())
}

// Rows are copied: empty bytes stay empty and are not nil.
func TestEmptyBytes(t *testing.T) {
	db := fakesql.NewT(t, fakesql.Config{})
	db.On("SELECT b").Rows(sqlmock.NewRows([]string{"b"}).AddRow([]byte{}).AddRow(nil))
	rows, err := db.DB().Query("SELECT b")
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	var got []sql.RawBytes
	for rows.Next() {
		var b sql.RawBytes
		require.NoError(t, rows.Scan(&b))
		got = append(got, b)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []sql.RawBytes{{}, nil}, got)
}
