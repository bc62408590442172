package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

const second = time.Second

// newShop returns a fake that answers priceQuery and updates, each in a second.
func newShop(q *qtests.T, cfg Config) *Fake {
	if cfg.Latency.IsZero() {
		cfg.Latency = latency.Fixed(second)
	}
	db := NewT(q, cfg)
	db.On(priceQuery).Rows(prices(42))
	db.On("UPDATE items").Result(sqlmock.NewResult(7, 3))
	return db
}

// took returns how long f takes.
func took(q *qtests.T, f func()) time.Duration {
	start := q.Elapsed()
	f()
	return q.Elapsed() - start
}

func TestEveryOperationTakesItsLatency(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{ConnectLatency: latency.Fixed(5 * second)})
		ctx := context.Background()
		must := func(err error) { q.Helper(); require.NoError(q, err) }
		require.Equal(q, 6*second, took(q, func() { must(db.DB().Ping()) }), "opens a connection")
		require.Equal(q, second, took(q, func() { must(db.DB().Ping()) }))
		require.Equal(q, second, took(q, func() { _, err := price(ctx, db.DB(), 1); must(err) }))
		require.Equal(q, second, took(q, func() {
			res, err := db.DB().Exec("UPDATE items")
			must(err)
			id, _ := res.LastInsertId()
			n, _ := res.RowsAffected()
			require.Equal(q, []int64{7, 3}, []int64{id, n})
		}))
		var tx *sql.Tx
		require.Equal(q, second, took(q, func() { var err error; tx, err = db.DB().Begin(); must(err) }))
		require.Equal(q, second, took(q, func() { _, err := tx.Exec("UPDATE items"); must(err) }))
		require.Equal(q, second, took(q, func() { must(tx.Commit()) }))
		tx, err := db.DB().Begin()
		must(err)
		require.Equal(q, second, took(q, func() { must(tx.Rollback()) }))

		var stmt *sql.Stmt
		require.Equal(q, second, took(q, func() { var err error; stmt, err = db.DB().Prepare(priceQuery); must(err) }))
		for range 3 { // it stays prepared on the connection
			require.Equal(q, second, took(q, func() { var p int; must(stmt.QueryRow(1).Scan(&p)) }))
		}
		must(stmt.Close())
		s := db.Stats()
		require.Equal(q, uint64(1), s.Pool.Constructed)
		require.Equal(q, 1, s.Pool.Idle)
	})
}

func TestLatencyOfOneQueryAndOfOneConnection(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		db.On("SELECT slow").Rows(prices(1)).Latency(latency.Fixed(time.Minute))
		require.Equal(q, time.Minute, took(q, func() { _, err := read(db.DB(), "SELECT slow"); require.NoError(q, err) }))
		slow := db.Conn(2).Slow(10)
		slow.Begin()
		one, err := db.DB().Conn(q.Context())
		require.NoError(q, err)
		two, err := db.DB().Conn(q.Context())
		require.NoError(q, err)
		require.Equal(q, second, took(q, func() { require.NoError(q, one.PingContext(q.Context())) }))
		require.Equal(q, 10*second, took(q, func() { require.NoError(q, two.PingContext(q.Context())) }))
		require.NoError(q, one.Close())
		require.NoError(q, two.Close())
	})
}

func TestQueryEndsWithItsContext(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 1})
		ctx, cancel := q.Clock().WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		var err error
		require.Equal(q, 300*time.Millisecond, took(q, func() { _, err = price(ctx, db.DB(), 1) }))
		require.Equal(q, context.DeadlineExceeded, err)
		q.Wait()
		require.Equal(q, 1, db.Stats().Pool.Idle, "the connection came back")

		holder, err := db.DB().Conn(q.Context())
		require.NoError(q, err)
		require.NoError(q, holder.PingContext(q.Context()), "takes the connection")
		ctx, cancel = q.Clock().WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		require.Equal(q, 300*time.Millisecond, took(q, func() { _, err = price(ctx, db.DB(), 1) }), "in the queue")
		require.Equal(q, context.DeadlineExceeded, err)
		require.NoError(q, holder.Close())
		require.Equal(q, uint64(1), db.Stats().Pool.Timeouts)
	})
}

// database/sql rolls back under a mutex that a statement holds: a statement that
// did not heed the transaction's context would stop the bubble.
func TestTransactionEndsASlowStatement(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Latency: latency.Fixed(time.Hour)})
		db.OnBegin().Latency(latency.Fixed(0))
		ctx, cancel := q.Clock().WithTimeout(context.Background(), 2*second)
		defer cancel()
		tx, err := db.DB().BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
		require.NoError(q, err)
		require.Equal(q, 2*second, took(q, func() {
			_, err = tx.ExecContext(context.Background(), "UPDATE items")
		}))
		require.Equal(q, context.DeadlineExceeded, err)
		q.Sleep(0)
		require.Equal(q, 2*second, q.Elapsed(), "the rollback does not wait: its context has ended")
		require.Equal(q, 1, db.Stats().Pool.Idle)
		require.Error(q, tx.Commit())
	})
}

func TestCommitThatFails(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		full := errors.New("disk full")
		db.OnCommit().Error(full)
		tx, err := db.DB().Begin()
		require.NoError(q, err)
		require.ErrorIs(q, tx.Commit(), full)
		require.Equal(q, 1, db.Stats().Pool.Idle)
	})
}

func TestDeadlockByProbability(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		db.On("UPDATE stock").Result(sqlmock.NewResult(0, 1)).Errors(0.25, ErrDeadlock)
		failed := 0
		for range 1000 {
			_, err := db.DB().Exec("UPDATE stock")
			if err != nil {
				failed++
				var state interface{ SQLState() string }
				require.ErrorIs(q, err, ErrDeadlock)
				require.ErrorAs(q, err, &state)
				require.Equal(q, "40P01", state.SQLState())
			}
		}
		// 250 expected, standard deviation 13.7.
		require.InDelta(q, 250, failed, 3*13.7)
		require.Equal(q, 1000*second, q.Elapsed(), "an error takes as long as an answer")
		require.Equal(q, uint64(1), db.Stats().Pool.Constructed, "and leaves the connection alone")
	})
}

func TestBadConnectionsAreTriedAgain(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		one := db.Conn(1).ErrorRateOf(1, driver.ErrBadConn)
		one.Begin()
		p, err := price(context.Background(), db.DB(), 1)
		require.NoError(q, err)
		require.Equal(q, 42, p)
		require.Equal(q, 2*second, q.Elapsed())
		s := db.Stats().Pool
		require.Equal(q, []uint64{2, 1}, []uint64{s.Constructed, s.DestroyedDiscarded})
	})
}

func TestConnectionRefused(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		faulttest.Schedule(q, db.OnConnect().Outage().At(0).For(10*second))
		q.Sleep(second)
		_, err := price(context.Background(), db.DB(), 1)
		require.ErrorIs(q, err, fake.ErrOutage)
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		require.EqualError(q, err, "pool sql: constructing a resource: sql: connect: fake: outage: connection refused")
		q.Sleep(9*second - time.Millisecond)
		_, err = price(context.Background(), db.DB(), 1)
		require.ErrorIs(q, err, fake.ErrOutage)
		q.Sleep(time.Millisecond)
		_, err = price(context.Background(), db.DB(), 1)
		require.NoError(q, err, "without any back-off")
	})
}

func TestRowsThatBreakHalfWay(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		db.On("SELECT all").Rows(prices(1, 2, 3), prices(4, 5)).BreakAfter(4, io.ErrUnexpectedEOF)
		for range 2 {
			got, err := read(db.DB(), "SELECT all")
			require.ErrorIs(q, err, io.ErrUnexpectedEOF)
			require.Equal(q, [][]string{{"1", "2", "3"}, {"4"}}, got)
		}
		require.Equal(q, uint64(2), db.Stats().Pool.DestroyedDiscarded)
	})
}

func TestKill(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 4})
		errs := make([]error, 4)
		ends := make([]time.Duration, 4)
		for i := range 4 {
			faulttest.At(q, 0, func() {
				if i == 0 {
					var tx *sql.Tx
					if tx, errs[0] = db.DB().Begin(); errs[0] == nil {
						_, errs[0] = tx.Exec("UPDATE items")
						_ = tx.Rollback()
					}
				} else {
					_, errs[i] = price(context.Background(), db.DB(), 1)
				}
				ends[i] = q.Elapsed()
			})
		}
		faulttest.Schedule(q, db.Kill(2).At(500*time.Millisecond), db.Kill(1).At(1200*time.Millisecond))
		q.Sleep(time.Minute)
		for i, err := range errs {
			if err != nil {
				q.Logf("%d: %v", i, err)
			}
		}
		// The first two connections opened are killed: the begin of 0 and the query
		// of 1 are tried again by database/sql. The one killed at 1.2s is the third,
		// which is idle: its next user does not notice.
		require.NoError(q, errors.Join(errs...))
		require.Equal(q, []time.Duration{3500 * time.Millisecond, 1500 * time.Millisecond, second, second}, ends)
		marks, _ := q.EventLog().Marks()
		require.Equal(q, "sql: 2 connections killed: begins", marks[0].Text)
		require.Equal(q, uint64(2), db.Stats().Pool.DestroyedDiscarded)
		for range 4 {
			c, err := db.DB().Conn(q.Context())
			require.NoError(q, err)
			require.NoError(q, c.PingContext(q.Context()))
			defer c.Close()
		}
		require.Equal(q, uint64(3), db.Stats().Pool.DestroyedDiscarded)
	})
}

func TestKillTakesConnectionsThatLive(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		var conns []*sql.Conn
		for range 3 {
			c, err := db.DB().Conn(q.Context())
			require.NoError(q, err)
			require.NoError(q, c.PingContext(q.Context()))
			conns = append(conns, c)
		}
		db.Kill(1).Begin()
		db.Kill(1).Begin()
		for i, c := range conns {
			require.Equal(q, i == 2, c.PingContext(q.Context()) == nil, "connection %d", i+1)
			_ = c.Close()
		}
		db.Kill(100).Begin()
		require.NoError(q, db.DB().Ping())
		require.Equal(q, uint64(3), db.Stats().Pool.DestroyedDiscarded)
	})
}

func TestOutageLosesTheConnectionsThatMeetIt(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		require.NoError(q, db.DB().Ping())
		outage := db.Outage()
		outage.Begin()
		require.ErrorIs(q, db.DB().Ping(), fake.ErrOutage)
		outage.End()
		require.NoError(q, db.DB().Ping())
		s := db.Stats().Pool
		require.Equal(q, []uint64{2, 1}, []uint64{s.Constructed, s.DestroyedDiscarded})
	})
}

// A function of the user's that panics inside a transaction leaves it broken, but
// what remains can be rolled back.
func TestPanicInATransaction(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 1})
		db.On("UPDATE bad").Latency(latency.Func("mine", func(*rand.Rand) time.Duration { panic("mine") }))
		tx, err := db.DB().Begin()
		require.NoError(q, err)
		require.PanicsWithValue(q, "mine", func() { _, _ = tx.Exec("UPDATE bad") })
		require.ErrorIs(q, tx.Rollback(), driver.ErrBadConn)
		_, err = price(q.Context(), db.DB(), 1)
		require.NoError(q, err)
		c := db.Stats().Calls
		require.Equal(q, uint64(1), c.Failed)
		require.Zero(q, c.InFlight)
	})
}

func TestSQLIsBounded(t *testing.T) {
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		db := NewT(t, Config{Max: 1, Matcher: sqlmock.QueryMatcherRegexp, AllowUnexpected: true})
		db.On(`^SELECT \d+`).Answer(func(context.Context, []driver.NamedValue) (*sqlmock.Rows, error) { return prices(1), nil })
		for i := range 2 * maxKnownQueries {
			stmt, err := db.DB().Prepare(fmt.Sprint("SELECT ", i))
			require.NoError(t, err)
			var p int
			require.NoError(t, stmt.QueryRow().Scan(&p))
			require.NoError(t, stmt.Close())
		}
		require.LessOrEqual(t, len(db.mu.stubs.known), maxKnownQueries)
		reader := <-db.reader
		require.LessOrEqual(t, reader.uses, maxReaderUses)
		db.reader <- reader
		require.LessOrEqual(t, len(db.mu.open[0].prepared), maxPrepared)
		for i := range 20 {
			_, err := db.DB().Exec(fmt.Sprint("UPDATE ", i))
			require.ErrorIs(t, err, fake.ErrUnmatched)
		}
	})
	require.Empty(t, rec.Errors())
	require.Len(t, rec.Logs(), 10, "the log is no flood")
}

func TestKilledInATransaction(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{})
		tx, err := db.DB().Begin()
		require.NoError(q, err)
		db.Kill(1).Begin()
		_, err = tx.Exec("UPDATE items")
		require.ErrorIs(q, err, driver.ErrBadConn)
		require.ErrorIs(q, err, syscall.ECONNRESET)
		require.Error(q, tx.Commit())
	})
}

func TestSQLFaultsOnATimeline(t *testing.T) {
	for _, c := range []struct {
		name  string
		event func(*Fake) event.Event // from 10s to 20s
		want  []string                // one query at 5s, 15s and 25s
	}{
		{"outage", func(db *Fake) event.Event { return db.Outage() }, []string{"6s <nil>", "15s outage", "26s <nil>"}},
		{"slow", func(db *Fake) event.Event { return db.Slow(3) }, []string{"6s <nil>", "18s <nil>", "26s <nil>"}},
		{"errors", func(db *Fake) event.Event { return db.ErrorRate(1) }, []string{"6s <nil>", "16s injected", "26s <nil>"}},
		{"freeze", func(db *Fake) event.Event { return db.Freeze() }, []string{"6s <nil>", "20s <nil>", "26s <nil>"}},
		{"flap", func(db *Fake) event.Event { return db.Flap(4*second, 2*second) }, []string{"6s <nil>", "15s outage", "26s <nil>"}},
		{"one query", func(db *Fake) event.Event { return db.On(priceQuery).Rows(prices(1)).Freeze() }, []string{"6s <nil>", "20s <nil>", "26s <nil>"}},
		{"another query", func(db *Fake) event.Event { return db.On("SELECT 1").Outage() }, []string{"6s <nil>", "16s <nil>", "26s <nil>"}},
		{"commit only", func(db *Fake) event.Event { return db.OnCommit().Outage() }, []string{"6s <nil>", "16s <nil>", "26s <nil>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				db := newShop(q, Config{})
				faulttest.Schedule(q, c.event(db).At(10*second).For(10*second))
				var got []string
				for i := range 3 {
					q.Sleep(time.Duration(5+10*i)*second - q.Elapsed())
					_, err := price(context.Background(), db.DB(), 1)
					kind := fmt.Sprint(err)
					switch {
					case errors.Is(err, fake.ErrOutage):
						kind = "outage"
					case errors.Is(err, fake.ErrInjected):
						kind = "injected"
					}
					got = append(got, fmt.Sprint(q.Elapsed(), " ", kind))
				}
				require.Equal(q, c.want, got)
			})
		})
	}
}

func TestBrownoutNarrowsThePool(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := newShop(q, Config{Max: 5})
		faulttest.Schedule(q, db.Brownout(2).At(10*second).For(10*second), db.Brownout(3).At(15*second).For(10*second))
		for _, want := range []struct {
			at  time.Duration
			max int
		}{{5 * second, 5}, {12 * second, 2}, {17 * second, 2}, {22 * second, 3}, {30 * second, 5}} {
			q.Sleep(want.at - q.Elapsed())
			require.Equal(q, want.max, db.Stats().Pool.Max, "at %v", want.at)
		}
	})
}

func TestNobodyClosesTheRows(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var rows *sql.Rows
		rec := tbtest.Run("t", func(t *tbtest.TB) {
			db := NewT(t, Config{Stacks: true, Clock: q.Clock()})
			db.On(priceQuery).Rows(prices(1))
			var err error
			rows, err = db.DB().Query(priceQuery, 1)
			require.NoError(t, err)
		})
		require.Contains(q, rec.Errors(), "sql: rows, a transaction or a connection not closed: pool sql: close:")
		require.Contains(q, rec.Errors(), "fakesql.TestNobodyClosesTheRows", "who took it")
		require.Equal(q, pool.CleanupTimeout, q.Elapsed())
		require.NoError(q, rows.Close())
	})
}
