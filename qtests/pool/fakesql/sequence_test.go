package fakesql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/internal/faulttest"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestAnswersInSequence(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := NewT(q, Config{})
		db.On(priceQuery).WithArgs(7).Latency(latency.Fixed(time.Second)).Rows(prices(1)).Then().Error(ErrDeadlock).Times(2).Then().Rows(prices(3))
		var got []string
		for range 5 {
			p, err := price(context.Background(), db.DB(), 7)
			got = append(got, fmt.Sprint(p, " ", err))
		}
		require.Equal(q, []string{"1 <nil>", "0 " + ErrDeadlock.Error(), "0 " + ErrDeadlock.Error(), "3 <nil>", "3 <nil>"}, got)
		require.Equal(q, 5*time.Second, q.Elapsed(), "each with the latency of the first")
	})
}

func TestTimes(t *testing.T) {
	db := NewT(t, Config{AllowUnexpected: true})
	db.On("INSERT").Result(sqlmock.NewResult(1, 1)).Times(1)
	last := db.On("INSERT").Error(ErrDeadlock).Times(2)
	for i, want := range []error{ErrDeadlock, ErrDeadlock, nil} {
		_, err := db.DB().Exec("INSERT")
		require.Equal(t, want, err, "call %d", i)
	}
	_, err := db.DB().Exec("INSERT")
	require.ErrorIs(t, err, fake.ErrUnmatched)
	require.ErrorContains(t, err, "nearest stubs:\n\tINSERT (has answered its 2 calls)\n\tINSERT (has answered its 1 call)")
	last.Times(1)
	_, err = db.DB().Exec("INSERT")
	require.Equal(t, ErrDeadlock, err, "one more from now on")
	require.Equal(t, uint64(3), last.Calls())
}

// Of calls at once each gets one place in the sequence.
func TestTimesCountsCallsAtOnce(t *testing.T) {
	db := NewT(t, Config{Max: 8})
	first := db.On(priceQuery).Rows(prices(1)).Times(50)
	rest := first.Then().Rows(prices(2))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				if _, err := price(context.Background(), db.DB(), 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, []uint64{50, 150}, []uint64{first.Calls(), rest.Calls()})
}

func TestAnswerOfAStatement(t *testing.T) {
	db := NewT(t, Config{})
	mine := errors.New("mine")
	insert := db.On("INSERT").AnswerExec(func(_ context.Context, args []driver.NamedValue) (driver.Result, error) {
		if args[0].Value == int64(0) {
			return nil, mine
		}
		return sqlmock.NewResult(args[0].Value.(int64)*10, 1), nil
	})
	r, err := db.DB().Exec("INSERT", 7)
	require.NoError(t, err)
	id, err := r.LastInsertId()
	require.NoError(t, err)
	require.Equal(t, int64(70), id)
	_, err = db.DB().Exec("INSERT", 0)
	require.Equal(t, mine, err)
	insert.AnswerExec(func(context.Context, []driver.NamedValue) (driver.Result, error) { return nil, nil })
	_, err = db.DB().Exec("INSERT", 7)
	require.EqualError(t, err, `sql "INSERT": AnswerExec returned neither a result nor an error`)
	insert.Result(sqlmock.NewResult(5, 1))
	r, err = db.DB().Exec("INSERT", 7)
	require.NoError(t, err)
	id, _ = r.LastInsertId()
	require.Equal(t, int64(5), id, "the last verb counts")
}

// One stub takes the names that an ORM makes up.
func TestPattern(t *testing.T) {
	db := NewT(t, Config{})
	done := sqlmock.NewResult(0, 0)
	save := db.OnPattern(`^SAVEPOINT sp[0-9a-fx]+$`).Result(done)
	back := db.OnPattern(`^ROLLBACK TO SAVEPOINT `).Result(done)
	special := db.On("SAVEPOINT sp1").Result(done)
	for _, query := range []string{"SAVEPOINT sp0x14000b4e2c0", "SAVEPOINT  sp7\n", "SAVEPOINT sp1", "ROLLBACK TO SAVEPOINT sp0x14000b4e2c0"} {
		_, err := db.DB().Exec(query)
		require.NoError(t, err)
	}
	require.Equal(t, []uint64{2, 1, 1}, []uint64{save.Calls(), back.Calls(), special.Calls()})
	rec := tbtest.Run("t", func(t *tbtest.TB) {
		db := NewT(t, Config{AllowUnexpected: true})
		db.OnPattern("^SAVEPOINT").Result(done)
		_, err := db.DB().Exec("RELEASE SAVEPOINT a")
		require.ErrorContains(t, err, "nearest stubs:\n\t=~^SAVEPOINT")
		db.OnPattern("(")
	})
	require.Contains(t, rec.Errors(), "fakesql: sql: OnPattern: error parsing regexp")
}

func TestCapturedCalls(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := NewT(q, Config{Latency: latency.Fixed(time.Second)})
		s := db.On("INSERT").Result(sqlmock.NewResult(1, 1)).Capture(2)
		start := q.Clock().Now()
		text := []byte("second")
		for _, v := range []any{"first", text, "third"} {
			_, err := db.DB().Exec("INSERT", v, 7)
			require.NoError(q, err)
		}
		copy(text, "XXXXXX")
		args := func(v any) []driver.NamedValue {
			return []driver.NamedValue{{Ordinal: 1, Value: v}, {Ordinal: 2, Value: int64(7)}}
		}
		require.Equal(q, []Call{
			{start.Add(1 * time.Second), "INSERT", args([]byte("second"))},
			{start.Add(2 * time.Second), "INSERT", args("third")},
		}, s.Captured())
		require.Len(q, s.Captured(), 2)
		require.Empty(q, s.Capture(1).Captured())
	})
	rec := tbtest.Run("t", func(t *tbtest.TB) { NewT(t, Config{Name: "shop"}).On("a").Captured() })
	require.Equal(t, `fakesql: shop "a": Captured: call Capture first`, rec.Errors())
}

// Rows arrive over time, and what ends the query ends the wait for the next one.
func TestRowsThatArriveOverTime(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(q *qtests.T, db *Fake)
		rows  int
		ends  time.Duration
		want  error
	}{
		"all":     {func(*qtests.T, *Fake) {}, 3, 40 * time.Second, nil},
		"slow":    {func(_ *qtests.T, db *Fake) { db.Slow(2).Begin() }, 3, 80 * time.Second, nil},
		"outage":  {func(q *qtests.T, db *Fake) { faulttest.Schedule(q, db.Outage().At(25*time.Second).For(time.Second)) }, 1, 25 * time.Second, fake.ErrOutage},
		"freeze":  {func(q *qtests.T, db *Fake) { faulttest.Schedule(q, db.Freeze().At(35*time.Second).For(time.Minute)) }, 3, 95 * time.Second, nil},
		"kill":    {func(q *qtests.T, db *Fake) { faulttest.Schedule(q, db.Kill(1).At(25*time.Second)) }, 1, 25 * time.Second, driver.ErrBadConn},
		"context": {func(*qtests.T, *Fake) {}, 1, 29 * time.Second, context.DeadlineExceeded},
		"break": {func(_ *qtests.T, db *Fake) {
			db.On(priceQuery).Rows(prices(1, 2, 3)).RowLatency(latency.Fixed(10*time.Second)).BreakAfter(1, ErrDeadlock)
		}, 1, 20 * time.Second, ErrDeadlock},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				db := NewT(q, Config{Latency: latency.Fixed(10 * time.Second)})
				db.On(priceQuery).Rows(prices(1, 2, 3)).RowLatency(latency.Fixed(10 * time.Second))
				c.begin(q, db)
				ctx := context.Background()
				if name == "context" {
					limited, cancel := q.Clock().WithTimeout(ctx, 29*time.Second)
					defer cancel()
					ctx = limited
				}
				rows, err := db.DB().QueryContext(ctx, priceQuery, 1)
				require.NoError(q, err)
				n := 0
				for rows.Next() {
					n++
				}
				require.ErrorIs(q, rows.Err(), c.want)
				require.NoError(q, rows.Close())
				require.Equal(q, []any{c.rows, c.ends}, []any{n, q.Elapsed().Round(time.Microsecond)})
				require.Zero(q, db.Stats().Pool.InUse)
			})
		})
	}
	rec := tbtest.Run("t", func(t *tbtest.TB) { NewT(t, Config{}).On("a").RowLatency(latency.Fixed(-1)) })
	require.Contains(t, rec.Errors(), "RowLatency")
}

// An outage cuts what is open, also if it is over before the next call.
func TestOutageCutsRowsAndTransactions(t *testing.T) {
	db := NewT(t, Config{Max: 2})
	db.On(priceQuery).Rows(prices(1, 2, 3))
	db.On("UPDATE").Result(sqlmock.NewResult(0, 1))
	rows, err := db.DB().Query(priceQuery, 1)
	require.NoError(t, err)
	require.True(t, rows.Next())
	tx, err := db.DB().Begin()
	require.NoError(t, err)
	outage := db.Outage()
	outage.Begin()
	outage.End()
	require.False(t, rows.Next())
	require.ErrorIs(t, rows.Err(), fake.ErrOutage)
	_, err = tx.Exec("UPDATE")
	require.ErrorIs(t, err, fake.ErrOutage)
	require.Error(t, tx.Commit())
	require.Equal(t, 0, db.Stats().Pool.Total(), "both connections are lost")
	_, err = db.DB().Exec("UPDATE")
	require.NoError(t, err)
}

// The numbers of a connection pool never show more in use than there may be.
func TestDBStats(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		db := NewT(q, Config{Max: 2, Latency: latency.Fixed(10 * time.Second), ConnectLatency: latency.Fixed(time.Second), MaxIdleTime: time.Minute})
		db.On(priceQuery).Rows(prices(1))
		for range 10 {
			q.Clock().AfterFunc(0, func() {
				if _, err := price(context.Background(), db.DB(), 1); err != nil {
					q.Error(err)
				}
			})
		}
		numbers := func() []int {
			s := db.DBStats()
			return []int{s.MaxOpenConnections, s.OpenConnections, s.InUse, s.Idle, int(s.WaitCount), int(s.WaitDuration / time.Second), int(s.MaxIdleTimeClosed)}
		}
		q.Sleep(500 * time.Millisecond)
		require.Equal(q, []int{2, 2, 2, 0, 0, 0, 0}, numbers(), "two open")
		q.Sleep(5 * time.Second)
		require.Equal(q, []int{2, 2, 2, 0, 2, 2, 0}, numbers(), "eight wait")
		q.Sleep(time.Minute - 5*time.Second)
		require.Equal(q, []int{2, 2, 0, 2, 10, 10*1 + 2*(10+20+30+40), 0}, numbers())
		q.Sleep(time.Minute)
		require.Equal(q, []int{2, 0, 0, 0, 10, 210, 2}, numbers())
	})
}

// The Stats of the handle are true where database/sql has the limit and so the queue; else
// those of the fake are. The pool refuses those whom it lets wait, and only them.
func TestStatsOfTheHandle(t *testing.T) {
	for _, c := range []struct {
		limit      int    // 0: none but the fake's
		handle     [4]int // maximum, open, in use, how many waited
		waited     int    // in the pool: for a new connection, or for one of the two
		refused    uint64
		handleWait time.Duration
	}{
		{limit: 0, handle: [4]int{0, 5, 5, 0}, waited: 5, refused: 3},
		{limit: 2, handle: [4]int{2, 2, 2, 3}, waited: 2, refused: 0, handleWait: (10 + 10 + 20) * time.Second},
	} {
		qtests.Run(t, func(q *qtests.T) {
			db := NewT(q, Config{Max: 2, AcquireTimeout: 5 * time.Second, Latency: latency.Fixed(10 * time.Second)})
			db.DB().SetMaxOpenConns(c.limit)
			db.On(priceQuery).Rows(prices(1))
			for range 5 {
				q.Clock().AfterFunc(0, func() { _, _ = price(context.Background(), db.DB(), 1) })
			}
			numbers := func(s sql.DBStats) [4]int {
				return [4]int{s.MaxOpenConnections, s.OpenConnections, s.InUse, int(s.WaitCount)}
			}
			q.Sleep(time.Second)
			require.Equal(q, c.handle, numbers(db.DB().Stats()))
			require.Equal(q, 2, db.DBStats().InUse)
			q.Sleep(time.Minute)
			require.Equal(q, c.refused, db.Stats().Pool.Timeouts)
			require.Equal(q, c.waited, int(db.DBStats().WaitCount))
			require.Equal(q, c.handleWait, db.DB().Stats().WaitDuration.Round(time.Second))
		})
	}
}
