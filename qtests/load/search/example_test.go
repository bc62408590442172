package search_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/search"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// How many seats do ten visitors take? In a test, t is the test's own, and with the q of
// qtests.Run the runs take no time.
func ExampleCapacity() {
	tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		levels := search.Levels{Low: 1, High: 16, Smallest: true, Whole: true, Runs: 1}
		a := search.Capacity(t, levels, func(level float64) load.Scenario {
			seats := make(chan struct{}, int(level)) // anew for every run
			return load.Scenario{
				Traffic:    traffic.Rate(200).For(50 * time.Millisecond),
				Thresholds: []string{"errors==0%"},
				Do: func(context.Context, *load.User) error {
					select {
					case seats <- struct{}{}:
						return nil
					default:
						return errors.New("full")
					}
				},
			}
		})
		if !a.Found || a.Level > 8 {
			fmt.Printf("want 8 seats to do: it takes %v, %v are too few\n", a.Level, a.Next)
		}
	})
	// Output:
	// want 8 seats to do: it takes 10, 9 are too few
}

func ExampleRecovers() {
	// This is the body of a test.
	test := func(t *testing.T) {
		qtests.Run(t, func(q *qtests.T) {
			rec := search.Recovers(q, search.Disturbances{Sizes: []float64{10, 60}}, func(seconds float64) (load.Scenario, event.Event) {
				var down atomic.Bool // of a system that is new for every size
				outage := event.New("outage", func() { down.Store(true) }, func() { down.Store(false) })
				return load.Scenario{
					Traffic: traffic.Rate(50).For(10 * time.Minute), Timeout: time.Second, Retry: load.Retry{Max: 2},
					Do: func(ctx context.Context, u *load.User) error {
						if down.Load() {
							return errors.New("connection refused")
						}
						return u.Sleep(ctx, 20*time.Millisecond)
					},
				}, outage.At(2 * time.Minute).For(time.Duration(seconds) * time.Second)
			})
			if limit, _ := rec.Limit(); limit < 60 {
				q.Errorf("it must recover from 60 s:\n%s", rec)
			}
			q.Sleep(time.Hour) // for what a system that stays down has left behind
		})
	}
	_ = test
}

func ExampleRecoveries_Limit() {
	rec := search.Recoveries{ // as Recovers returns them
		{Size: 10, Recovered: true, After: 2 * time.Second, Before: 1, Final: 1},
		{Size: 60, Recovered: false, Before: 1, Final: 0.31},
	}
	if limit, _ := rec.Limit(); limit < 60 {
		fmt.Print(rec)
	}
	// Output:
	// recovery: the system recovers from a disturbance of 10, and stays down after one of 60
	//   answered: requests that ended without an error, as a share of the arrivals
	//   disturbance              back after  answered before  answered at the end
	//            10  recovered           2s             100%                 100%
	//            60  stays down           -             100%                  31%
}
