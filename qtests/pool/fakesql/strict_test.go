package fakesql

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestExpectIsStrict(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 20, MonitorPings: true})
		mock := db.Expect()
		require.Equal(q, mock, db.Expect(), "one and the same")
		mock.ExpectPing()
		mock.ExpectBegin()
		mock.ExpectQuery("SELECT stock").WithArgs(1).WillReturnRows(prices(5))
		mock.ExpectExec("UPDATE stock").WillReturnResult(sqlmock.NewResult(0, 1))
		mock.ExpectCommit()
		prepared := mock.ExpectPrepare("SELECT name").WillBeClosed()
		prepared.ExpectQuery().WithArgs(1).WillReturnRows(prices("a"))
		prepared.ExpectQuery().WithArgs(2).WillReturnRows(prices("b"))
		mock.ExpectClose()

		must := func(err error) { q.Helper(); require.NoError(q, err) }
		must(db.DB().Ping())
		tx, err := db.DB().Begin()
		must(err)
		var n int
		must(tx.QueryRow("SELECT stock", 1).Scan(&n))
		require.Equal(q, 5, n)
		_, err = tx.Exec("UPDATE stock")
		must(err)
		must(tx.Commit())
		stmt, err := db.DB().Prepare("SELECT name")
		must(err)
		for i, want := range []string{"a", "b"} {
			_, err := price(context.Background(), db.DB(), 9) // a stub answers in between
			must(err)
			var name string
			must(stmt.QueryRow(i + 1).Scan(&name))
			require.Equal(q, want, name)
		}
		must(stmt.Close())
		require.Equal(q, uint64(1), db.Stats().Pool.Constructed)
		require.Equal(q, 10*time.Second, q.Elapsed(), "everything takes its latency, preparing once")
		must(db.DB().Close())
	})
}

func TestExpectationsAreVerifiedAtCleanup(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		db := NewT(t, Config{Name: "shop"})
		mock := db.Expect()
		mock.ExpectExec("UPDATE a").WillReturnResult(sqlmock.NewResult(0, 1))
		mock.ExpectExec("UPDATE b").WillReturnResult(sqlmock.NewResult(0, 1))
		_, err := db.DB().Exec("UPDATE c", 7)
		require.ErrorContains(t, err, "UPDATE c")
		_, err = db.DB().Exec("UPDATE a")
		require.NoError(t, err)
		_, err = db.DB().Query("SELECT x", 8)
		require.ErrorContains(t, err, "8")
	})
	require.Contains(t, rec.Errors(), "shop: there is a remaining expectation which was not matched: ExpectedExec")
	require.Contains(t, rec.Errors(), "UPDATE b")
}

func TestExpectComesFirst(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		db := NewT(t, Config{})
		require.NoError(t, db.DB().Ping())
		db.Expect()
	})
	require.Equal(t, "fakesql: sql: Expect: a connection has been opened, or Setup is set", rec.Errors())
	rec = tbtest.Run("t", func(t *tbtest.TB) {
		NewT(t, Config{Setup: func(int, sqlmock.Sqlmock) {}}).Expect()
	})
	require.Equal(t, "fakesql: sql: Expect: a connection has been opened, or Setup is set", rec.Errors())
}

// A strict connection that is lost is replaced, and expects what it expected.
func TestStrictConnectionIsReplaced(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		db.Expect().ExpectExec("UPDATE a").WillReturnResult(sqlmock.NewResult(0, 1))
		require.NoError(q, db.DB().Ping())
		faulttest.Schedule(q, db.Outage().At(0).For(time.Second))
		q.Sleep(500 * time.Millisecond)
		_, err := db.DB().Exec("UPDATE a")
		require.ErrorIs(q, err, fake.ErrOutage)
		q.Sleep(time.Second)
		db.Kill(1).Begin()
		_, err = db.DB().Exec("UPDATE a")
		require.NoError(q, err)
	})
}

// Each connection has a go-sqlmock of its own: what one has answered, the other
// still expects.
func TestEachConnectionHasItsOwnMock(t *testing.T) {
	db := NewT(t, Config{Setup: func(conn int, mock sqlmock.Sqlmock) {
		mock.ExpectQuery("SELECT id").WillReturnRows(prices(conn))
	}})
	db.On(priceQuery).Rows(prices(42))
	var conns []*sql.Conn
	for want := 1; want <= 3; want++ {
		c, err := db.DB().Conn(context.Background())
		require.NoError(t, err)
		conns = append(conns, c)
		var id, p int
		require.NoError(t, c.QueryRowContext(context.Background(), "SELECT id").Scan(&id))
		require.NoError(t, c.QueryRowContext(context.Background(), priceQuery, 1).Scan(&p))
		require.Equal(t, []int{want, 42}, []int{id, p})
	}
	for _, c := range conns {
		require.NoError(t, c.Close())
	}
}

// What the user sets on the *sql.DB does not take connections from the pool.
func TestIdleConnectionsBelongToThePool(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 2})
		db.DB().SetMaxIdleConns(100)
		db.DB().SetMaxOpenConns(3)
		db.DB().SetConnMaxLifetime(time.Hour)
		ends := make([]time.Duration, 6)
		for i := range ends {
			faulttest.At(q, time.Duration(i), func() {
				_, err := price(context.Background(), db.DB(), 1)
				if err != nil {
					q.Errorf("%d: %v", i, err)
				}
				ends[i] = q.Elapsed().Round(time.Millisecond)
			})
		}
		q.Sleep(time.Minute)
		require.ElementsMatch(q, []time.Duration{second, second, 2 * second, 2 * second, 3 * second, 3 * second}, ends)
		require.Equal(q, 2, db.Stats().Pool.Idle)
	})
}

func TestClosedDatabase(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 1})
		errs := make(chan error, 2)
		for range 2 { // one is served, one waits
			q.Go(func() {
				_, err := price(context.Background(), db.DB(), 1)
				errs <- err
			})
		}
		q.Sleep(500 * time.Millisecond)
		require.NoError(q, db.DB().Close())
		require.NoError(q, db.DB().Close())
		require.ErrorIs(q, <-errs, pool.ErrClosed)
		require.NoError(q, <-errs, "what was under way ends")
		_, err := price(context.Background(), db.DB(), 1)
		require.EqualError(q, err, "sql: database is closed")
		require.True(q, db.Stats().Pool.Closed)
		db.Outage().Begin() // after the end: nothing happens
		require.Zero(q, db.Stats().Pool.InUse)
	})
}

func TestQueueLimits(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 1, MaxWaiters: 1, AcquireTimeout: 300 * time.Millisecond})
		_, err := price(context.Background(), db.DB(), 1)
		require.NoError(q, err)
		errs := make([]error, 3)
		for i := range errs {
			faulttest.At(q, q.Elapsed()+time.Duration(i+1)*time.Millisecond, func() { _, errs[i] = price(context.Background(), db.DB(), 1) })
		}
		q.Sleep(time.Minute)
		require.NoError(q, errs[0])
		require.ErrorIs(q, errs[1], pool.ErrAcquireTimeout)
		require.ErrorIs(q, errs[2], pool.ErrOverloaded)
	})
}

// The same seed gives the same run: what a thousand callers of a slow, failing,
// crowded database meet, and when.
func TestSQLIsRepeatable(t *testing.T) {
	faulttest.Repeats(t, 1000, func(seed uint64) (out []string) {
		qtests.Run(t, func(q *qtests.T) {
			db := NewT(q, Config{
				Max: 5, Latency: latency.LogNormal(3*time.Millisecond, 20*time.Millisecond), ErrorRate: 0.1,
				ConnectLatency: latency.Exponential(10 * time.Millisecond), Stream: tb.NewStream(seed, "sql"),
			})
			db.On(priceQuery).Rows(prices(42)).Errors(0.05, ErrDeadlock)
			faulttest.Schedule(q, db.Outage().At(500*time.Millisecond).For(100*time.Millisecond),
				db.Slow(5).At(800*time.Millisecond).For(300*time.Millisecond),
				db.Brownout(2).At(time.Second).For(200*time.Millisecond), db.Kill(3).At(1300*time.Millisecond))
			seen := &faulttest.Calls{Q: q}
			for i := range 1000 {
				faulttest.At(q, time.Duration(i)*2*time.Millisecond, func() {
					seen.Do(func(ctx context.Context) error { _, err := price(ctx, db.DB(), i); return err })
				})
			}
			q.Sleep(time.Minute)
			out = seen.Ended()
		})
		return out
	})
}

func TestSQLInRealTimeAndInParallel(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			db := NewT(t, Config{Max: 3})
			db.On(priceQuery).Rows(prices(42))
			errs := make(chan error, 50)
			for i := range cap(errs) {
				go func() {
					p, err := price(t.Context(), db.DB(), i)
					if err == nil && p != 42 {
						err = errors.New("wrong price")
					}
					errs <- err
				}()
			}
			for range cap(errs) {
				require.NoError(t, <-errs)
			}
			require.LessOrEqual(t, db.Stats().Pool.Constructed, uint64(3))
		})
	}
}

func TestAStrictFakeKeepsItsOneConnection(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 10})
		require.Same(q, db.Expect(), db.Expect())
		brownout := db.Brownout(3)
		brownout.Begin()
		require.Equal(q, 1, db.Stats().Pool.Max)
		brownout.End()
		require.Equal(q, 1, db.Stats().Pool.Max)
	})
}
