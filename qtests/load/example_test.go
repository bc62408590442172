package load_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Outside of a test a run takes real time.
func ExampleDo() {
	res, err := load.Do(context.Background(), load.Scenario{
		Traffic:    traffic.Rate(200).For(100 * time.Millisecond),
		Thresholds: []string{"errors<1%"},
		Do: func(_ context.Context, u *load.User) error {
			if u.ID() == 7 {
				return errors.New("out of stock")
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Finished, "requests,", res.Errors, "error")
	for _, v := range res.Failed() {
		fmt.Println(v.Threshold, "is broken:", v.Actual)
	}
	// Output:
	// 20 requests, 1 error
	// errors<1% is broken: 5%
}

func ExampleParseThreshold() {
	t, err := load.ParseThreshold("p(99) < 0.25s")
	fmt.Println(t, t.Percentile, t.Value, err)
	_, err = load.ParseThreshold("p99<250ms")
	fmt.Println(err)
	// Output:
	// p(99)<250ms 99 0.25 <nil>
	// load: threshold "p99<250ms": unknown metric "p99"; did you mean "p(99)"?
}

func ExampleCompare() {
	before := &load.Result{Scheduled: 1000, Started: 1000, Finished: 1000, Errors: 10}
	after := &load.Result{Scheduled: 1000, Started: 1000, Finished: 1000, Errors: 60}
	c := load.Compare(before, after)
	for _, d := range c.Regressions() {
		fmt.Println(d.Metric, d.Before, d.After)
	}
	fmt.Print(c)
	// Output:
	// errors 1% 6%
	// comparison: 1 figure is worse
	//   fewer than 12 intervals: requests count as independent
	//      metric       before  after  change
	//   ✗  errors           1%     6%  +500.0%  worse
	//      dropped          0%     0%  same
	//      interrupted      0%     0%  same
}

// How many seats do ten visitors take? In a test, t is the test's own, and with the q of
// qtests.Run the runs take no time.
func ExampleCapacity() {
	tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		search := load.Search{Low: 1, High: 16, Smallest: true, Whole: true, Runs: 1}
		a := load.Capacity(t, search, func(level float64) load.Scenario {
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
			rec := load.Recovers(q, load.Disturbances{Sizes: []float64{10, 60}}, func(seconds float64) (load.Scenario, qtests.Event) {
				var down atomic.Bool // of a system that is new for every size
				outage := qtests.NewEvent("outage", func() { down.Store(true) }, func() { down.Store(false) })
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
	rec := load.Recoveries{ // as Recovers returns them
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
