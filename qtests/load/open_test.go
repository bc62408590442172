package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A goroutine that was a request waits for a later arrival: the requests keep
// the order and the instants of the schedule, in whichever goroutine they run.
func TestRequestsKeepTheirOrder(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		next := int64(0)
		res := Run(q, Scenario{
			Traffic: traffic.Rate(1000).For(10 * time.Second),
			Do: func(_ context.Context, u *User) error {
				next++
				require.Equal(q, next, u.ID())
				require.Equal(q, time.Duration(next)*time.Millisecond, u.Intended())
				require.Equal(q, u.Intended(), tb.Round(q.Elapsed()))
				q.Clock().Sleep(time.Duration(u.Rand().IntN(int(30 * time.Millisecond)))) // from none to 30 at once
				return nil
			},
		})
		require.EqualValues(q, 10_000, res.Finished)
		require.Zero(q, res.Late.Max())
	})
}

// A goroutine that waits for an arrival when a run is stopped does not outlive the run,
// and the result is the one at the instant of the halt.
func TestHaltedRunLeavesNobodyWaiting(t *testing.T) {
	for _, rate := range []float64{20, 500, 50_000} { // beyond longestWait, within it, many within it
		for _, grace := range []time.Duration{0, time.Millisecond} { // the default, and one that is shorter than the wait
			t.Run(fmt.Sprint(rate, grace), func(t *testing.T) {
				qtests.Run(t, func(q *qtests.T) {
					ctx, cancel := context.WithCancelCause(context.Background())
					q.Clock().AfterFunc(time.Second+510*time.Microsecond, func() { cancel(errors.New("enough")) })
					res, err := Do(ctx, Scenario{
						Clock: q.Clock(), Traffic: traffic.Rate(rate).For(time.Hour), Grace: grace,
						Do: func(context.Context, *User) error { q.Clock().Sleep(time.Microsecond); return nil },
					})
					require.NoError(q, err)
					require.Equal(q, "enough", res.Halted)
					require.EqualValues(q, int64(rate*1.0005), res.Finished)
					require.LessOrEqual(q, res.Elapsed, 1001*time.Millisecond)
					require.LessOrEqual(q, q.Elapsed(), time.Second+2*longestWait)
					require.LessOrEqual(q, q.ClockStats().Pending, uint64(3), "the timers of the run itself, which are stopped")
				})
			})
		}
	}
}

// Goroutines between two requests are no load of the code under test.
func TestGoroutinesBetweenRequestsDoNotCount(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		qtests.LimitGoroutines(q, 1) // beside the body
		res := Run(q, Scenario{
			Traffic: traffic.Rate(100).For(time.Minute),
			Do:      func(context.Context, *User) error { q.Clock().Sleep(9 * time.Millisecond); return nil },
		})
		require.EqualValues(q, 1, res.MaxInFlight)
	})
}

// A request that ends its goroutine takes no arrival along.
func TestArrivalsOutliveGoexit(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res, err := Do(context.Background(), Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(500).For(time.Second),
			Do: func(_ context.Context, u *User) error {
				q.Clock().Sleep(time.Duration(u.ID()%7) * time.Millisecond)
				if u.ID()%3 == 0 {
					panic("step")
				}
				if u.ID()%3 == 1 {
					runtime.Goexit()
				}
				return nil
			},
		})
		require.NoError(q, err)
		require.EqualValues(q, 500, res.Finished)
		require.EqualValues(q, 166, res.Panics)
		require.EqualValues(q, 167, res.Goexits)
	})
}

// A draw of gaps that misbehaves ends the run, and loses no request.
func TestGapsThatMisbehaveEndTheRun(t *testing.T) {
	for name, draw := range map[string]func(n int){
		"load: mine gaps: panic: draw": func(int) { panic("draw") },
		"load: mine gaps: goexit":      func(int) { runtime.Goexit() },
		"load: mine gaps: panic: second": func(n int) {
			if n > 20 {
				panic("second")
			}
		},
		"load: mine gaps: goexit: draw": func(n int) {
			if n > 20 {
				runtime.Goexit()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				n := 0
				s := Scenario{
					Clock: q.Clock(), Do: serve(time.Millisecond),
					Traffic: traffic.Rate(100).For(time.Minute).Gaps(traffic.GapsFunc("mine", func(*rand.Rand) float64 {
						n++
						draw(n)
						return 1
					})),
				}
				var res *result.Result
				var err error
				q.Go(func() { res, err = Do(context.Background(), s) }) // which a Goexit at the start ends
				q.Sleep(time.Hour)
				if n == 1 && res == nil {
					return
				}
				require.NoError(q, err)
				require.Contains(q, res.Halted, name)
				require.Zero(q, res.Abandoned)
				require.EqualValues(q, strings.Count(name, "panic"), res.Panics)
				require.LessOrEqual(q, res.Elapsed, time.Second)
			})
		})
	}
}

// A panic of an event fails the test, and the other events happen.
func TestEventThatPanics(t *testing.T) {
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		happened := false
		Run(tb, Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(1).For(10 * time.Second), Do: serve(0),
			Events: []event.Event{
				event.New("broken", func() { panic("begin") }, nil).At(time.Second),
				event.New("sound", func() { happened = true }, nil).At(2 * time.Second),
			},
		})
		require.True(q, happened)
	})
	require.True(t, rec.Failed())
	require.Contains(t, rec.Errors(), `panic: begin, in event "broken: begins"`)
}

// TestNobodyGetsTheUserOfAnother, though a goroutine makes several at once.
func TestNobodyGetsTheUserOfAnother(t *testing.T) {
	var all users
	given := map[*single]bool{}
	for range 100 {
		s := all.next()
		require.Zero(t, s.user.req.User)
		require.False(t, given[s])
		s.user.req.User = 1
		given[s] = true
	}
	require.Equal(t, 5, all.made)
}
