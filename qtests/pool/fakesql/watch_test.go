package fakesql_test

import (
	"context"
	"database/sql"
	"net/http"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// watched is a fake with some tables, which is watched.
func watched(q *qtests.T, limit int) *fakesql.Fake {
	db := fakesql.NewT(q, fakesql.Config{Max: limit, Latency: latency.Fixed(10 * time.Millisecond)})
	for _, query := range []string{"SELECT id FROM orders", "SELECT name FROM items WHERE id = ?", "SELECT id FROM orders LIMIT 10"} {
		db.On(query).Rows(sqlmock.NewRows([]string{"x"}).AddRow("1").AddRow("2"))
	}
	db.On("UPDATE items").Result(sqlmock.NewResult(0, 1))
	db.WatchQueries()
	return db
}

// list asks a statement and reads what it returns.
func list(ctx context.Context, q require.TestingT, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string, args ...any) (all []string) {
	rows, err := db.QueryContext(ctx, query, args...)
	require.NoError(q, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var x string
		require.NoError(q, rows.Scan(&x))
		all = append(all, x)
	}
	require.NoError(q, rows.Err())
	return all
}

func TestNPlusOne(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := watched(q, 5)
		mux := http.NewServeMux()
		mux.HandleFunc("GET /orders/{n}", func(w http.ResponseWriter, r *http.Request) {
			list(r.Context(), q, db.DB(), "SELECT id FROM orders")
			for i := range 7 {
				list(r.Context(), q, db.DB(), "SELECT name FROM items WHERE id = ?", i)
			}
		})
		mux.HandleFunc("/same", func(w http.ResponseWriter, r *http.Request) {
			for range 7 {
				list(r.Context(), q, db.DB(), "SELECT name FROM items WHERE id = ?", 1)
			}
		})
		client := q.Direct(fakesql.Requests(mux))
		for _, path := range []string{"/orders/1", "/orders/2", "/same"} {
			resp, err := client.Get("http://shop" + path)
			require.NoError(q, err)
			_ = resp.Body.Close()
		}
		a := db.Asked()
		require.Equal(q, uint64(3), a.Requests)
		require.Equal(q, 8, a.Most)
		require.Equal(q, "GET /orders/{n}", a.MostOf)
		repeats := a.Repeats(5)
		require.Len(q, repeats, 1, "the same arguments are no N+1 queries")
		require.Equal(q, "GET /orders/{n}", repeats[0].Request)
		require.Equal(q, 7, repeats[0].Times)
		require.Regexp(q, `^watch_test.go:\d+$`, repeats[0].Line)
		require.Empty(q, a.Repeats(7))
		require.Equal(q, []fakesql.Statement{
			{Query: "SELECT name FROM items WHERE id = ?", Count: 21, Time: 210 * time.Millisecond, Longest: 10 * time.Millisecond},
			{Query: "SELECT id FROM orders", Count: 2, Time: 20 * time.Millisecond, Longest: 10 * time.Millisecond, Unlimited: true},
		}, a.Statements)
		require.Len(q, a.Unlimited(), 1)
		require.Equal(q, "3 requests; at most 8 statements in one: GET /orders/{n}\nwaited for a connection 0 times, 0s in all\n"+
			"  statement                            count   time  longest\n"+
			"  SELECT name FROM items WHERE id = ?     21  210ms     10ms\n"+
			"  SELECT id FROM orders                    2   20ms     10ms\n", a.String())
	})
}

// A transaction that calls another service while it holds its connection, and one that does not.
func TestHeldTransactions(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := watched(q, 1)
		change := func(name string, pause time.Duration) {
			ctx, end := fakesql.Request(q.Context(), name)
			defer end()
			tx, err := db.DB().BeginTx(ctx, nil)
			require.NoError(q, err)
			_, err = tx.ExecContext(ctx, "UPDATE items")
			require.NoError(q, err)
			if pause > 0 {
				q.Clock().Sleep(pause)
			}
			_, err = tx.ExecContext(ctx, "UPDATE items")
			require.NoError(q, err)
			require.NoError(q, tx.Commit())
		}
		change("quick", 0)
		done := make(chan struct{})
		q.Go(func() { defer close(done); change("calls", time.Second) })
		q.Sleep(time.Millisecond)
		list(q.Context(), q, db.DB(), "SELECT id FROM orders LIMIT 10")
		<-done
		a := db.Asked()
		held := a.Held(100 * time.Millisecond)
		require.Len(q, held, 1)
		require.Equal(q, "calls", held[0].Request)
		require.Equal(q, time.Second, held[0].Idle)
		require.Regexp(q, `^watch_test.go:\d+$`, held[0].Line)
		require.Equal(q, uint64(1), a.Waits)
		require.Greater(q, a.Waited, time.Second)
		require.Empty(q, a.Unlimited())
	})
}

func TestLimitQueries(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := watched(q, 2)
		ask := func(rec *tbtest.TB) {
			db.LimitQueries(rec, 3)
			ctx, end := fakesql.Request(q.Context(), "page")
			defer end()
			for i := range 5 {
				list(ctx, q, db.DB(), "SELECT name FROM items WHERE id = ?", i)
			}
		}
		rec := tbtest.Run("TestPage", ask)
		require.True(q, rec.Failed())
		require.Regexp(q, `^sql: page asked 5 statements, want at most 3\nN\+1: page asked "SELECT name FROM items WHERE id = \?" 5 times with other arguments, at watch_test.go:\d+\n`, rec.Errors())
	})
	qtests.Run(t, func(q *qtests.T) {
		db := watched(q, 2)
		db.LimitQueries(q, 1)
		ctx, end := fakesql.Request(q.Context(), "page")
		list(ctx, q, db.DB(), "SELECT id FROM orders LIMIT 10")
		end()
		require.Equal(q, 1, db.Asked().Most)
	})
}

// A fake that is not watched keeps nothing.
func TestNotWatched(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := fakesql.NewT(q, fakesql.Config{})
		db.On("SELECT 1").Rows(sqlmock.NewRows([]string{"x"}).AddRow("1"))
		list(q.Context(), q, db.DB(), "SELECT 1")
		require.Equal(q, fakesql.Asked{}, db.Asked())
	})
}
