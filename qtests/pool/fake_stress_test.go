package pool

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// TestFakesUnderStress lets everything happen at once, in real time: queries,
// transactions, statements and requests, cancelled or given up at random, while
// faults of every kind come and go. When all of it has ended, nothing is in use
// and the numbers add up.
func TestFakesUnderStress(t *testing.T) {
	db := NewSQL(t, SQLConfig{Max: 4, ErrorRate: 0.05, Latency: qtests.Uniform(0, 50*time.Microsecond)})
	db.On(priceQuery).Rows(prices(1, 2, 3))
	db.On("UPDATE items").Result(sqlmock.NewResult(0, 1)).Errors(0.1, ErrDeadlock)
	pay := NewHTTP(t, HTTPConfig{Max: 4, ErrorRate: 0.05, Latency: qtests.Uniform(0, 50*time.Microsecond)})
	pay.On("GET", "/a", httpmock.NewStringResponder(200, "0123456789"))
	stream := qtests.StreamOf(t, "stress")
	workers, rounds := 16, 150*stress()

	stop := make(chan struct{})
	var faults, work sync.WaitGroup
	faults.Go(func() {
		r := stream.Sub("faults").Rand()
		events := []qtests.Event{
			db.Outage(), db.Freeze(), db.Slow(2), db.ErrorRate(0.5), db.Brownout(1), db.Flap(time.Microsecond, time.Microsecond),
			db.Kill(2), db.OnConnect().Outage(), pay.Outage(), pay.Freeze(), pay.Status(500), pay.ResetBody(5),
			pay.StallBody(5), pay.Brownout(2), pay.Reset(), pay.Bandwidth(1 << 20), pay.HandshakeFailure(),
		}
		for !isClosed(stop) {
			e := events[r.IntN(len(events))]
			e.Begin()
			for range r.IntN(20) {
				_, _ = db.Stats(), pay.Stats()
			}
			if e.End != nil {
				e.End()
			}
		}
	})
	for i := range workers {
		work.Go(func() {
			r := stream.At(uint64(i))
			for range rounds {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(1000))*time.Microsecond)
				stressOnce(ctx, r, db.DB(), pay.Client())
				cancel()
			}
		})
	}
	work.Wait()
	close(stop)
	faults.Wait()

	// database/sql ends transactions and rows whose context has ended on
	// goroutines of its own: closing waits for them.
	require.NoError(t, closeInCleanup(db.pool.engine))
	for _, p := range pay.mu.hosts {
		require.NoError(t, closeInCleanup(p.engine))
	}
	for _, s := range []FaultStats{db.Stats().Calls, pay.Stats().Calls} {
		require.Equal(t, s.Calls, s.OK+s.Failed+s.Canceled)
		require.Zero(t, s.InFlight)
		require.NotZero(t, s.OK)
		require.NotZero(t, s.Failed)
	}
}

func stressOnce(ctx context.Context, r *rand.Rand, db *sql.DB, c *http.Client) {
	switch r.IntN(5) {
	case 0:
		_, _ = price(ctx, db, 1)
	case 1:
		if rows, err := db.QueryContext(ctx, priceQuery, 1); err == nil {
			_ = rows.Next() // given up
			_ = rows.Close()
		}
	case 2:
		if tx, err := db.BeginTx(ctx, nil); err == nil {
			_, _ = tx.ExecContext(ctx, "UPDATE items")
			if r.IntN(2) == 0 {
				_ = tx.Commit()
			}
			_ = tx.Rollback()
		}
	case 3:
		if stmt, err := db.PrepareContext(ctx, "UPDATE items"); err == nil {
			_, _ = stmt.ExecContext(ctx)
			_ = stmt.Close()
		}
	case 4:
		_, _, _ = get(ctx, c, "http://h/a")
	}
}
