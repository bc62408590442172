package fake_test

import (
	"context"
	"database/sql"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/fake"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/tb"
)

const priceQuery = "SELECT price FROM items WHERE id = ?"

// TestFakesUnderStress lets everything happen at once, in real time: queries,
// transactions, statements and requests, cancelled or given up at random, while
// faults of every kind come and go. When all of it has ended, nothing is in use
// and the numbers add up.
func TestFakesUnderStress(t *testing.T) {
	var stats []func() fake.Calls
	t.Cleanup(func() { // after the fakes have closed, which fails t when a lease is out
		for _, of := range stats {
			s := of()
			require.Equal(t, s.Calls, s.OK+s.Failed+s.Canceled)
			require.Zero(t, s.InFlight)
			require.NotZero(t, s.OK)
			require.NotZero(t, s.Failed)
		}
	})
	db := fakesql.NewT(t, fakesql.Config{Max: 4, ErrorRate: 0.05, Latency: latency.Uniform(0, 50*time.Microsecond)})
	db.On(priceQuery).Rows(sqlmock.NewRows([]string{"price"}).AddRow(1).AddRow(2).AddRow(3))
	db.On("UPDATE items").Result(sqlmock.NewResult(0, 1)).Errors(0.1, fakesql.ErrDeadlock)
	pay := fakehttp.NewT(t, fakehttp.Config{Max: 4, ErrorRate: 0.05, Latency: latency.Uniform(0, 50*time.Microsecond)})
	pay.On("GET", "/a", httpmock.NewStringResponder(200, "0123456789"))
	stats = append(stats, func() fake.Calls { return db.Stats().Calls }, func() fake.Calls { return pay.Stats().Calls })
	stream := tb.StreamOf(t, "stress")
	workers, rounds := 16, 150*stress.Factor(t)

	stop, end := context.WithCancel(context.Background())
	var faults, work sync.WaitGroup
	faults.Go(func() {
		r := stream.Sub("faults").Rand()
		events := []event.Event{
			db.Outage(), db.Freeze(), db.Slow(2), db.ErrorRate(0.5), db.Brownout(1), db.Flap(time.Microsecond, time.Microsecond),
			db.Kill(2), db.OnConnect().Outage(), pay.Outage(), pay.Freeze(), pay.Status(500), pay.ResetBody(5),
			pay.StallBody(5), pay.Brownout(2), pay.Reset(), pay.Bandwidth(1 << 20), pay.HandshakeFailure(),
		}
		for stop.Err() == nil {
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
	end()
	faults.Wait()

}

func stressOnce(ctx context.Context, r *rand.Rand, db *sql.DB, c *http.Client) {
	switch r.IntN(5) {
	case 0:
		var p int
		_ = db.QueryRowContext(ctx, priceQuery, 1).Scan(&p)
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
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://h/a", nil)
		if err != nil {
			panic(err)
		}
		if resp, err := c.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}
