package qtests

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

// ownInstant are the ways to let something happen in d that count from the raw
// instant; each reports how often it has happened.
var ownInstant = map[string]func(q *T, d time.Duration) (happened func() int){
	"time.AfterFunc": func(_ *T, d time.Duration) func() int {
		var n atomic.Int32
		time.AfterFunc(d, func() { n.Add(1) })
		return func() int { return int(n.Load()) }
	},
	"time.Sleep": func(q *T, d time.Duration) func() int {
		var n atomic.Int32
		go func() { time.Sleep(d); n.Add(1) }()
		q.Wait()
		return func() int { return int(n.Load()) }
	},
	"context.WithTimeout": func(q *T, d time.Duration) func() int {
		ctx, cancel := context.WithTimeout(q.Context(), d)
		q.Cleanup(cancel)
		return func() int {
			if ctx.Err() != nil {
				return 1
			}
			return 0
		}
	},
	"time.NewTicker": func(q *T, d time.Duration) func() int { return countTicks(q, time.NewTicker(d).C) },
	"expiry by time.Now": func(_ *T, d time.Duration) func() int {
		expires := time.Now().Add(d)
		return func() int {
			if time.Now().Before(expires) {
				return 0
			}
			return 1
		}
	},
	"Clock().Ticker": func(q *T, d time.Duration) func() int { return countTicks(q, q.Clock().Ticker(d).C) },
	"Timer.Reset": func(q *T, d time.Duration) func() int {
		timer := q.Clock().Timer(time.Hour)
		timer.Reset(d)
		return countTicks(q, timer.C)
	},
	"AfterFunc.Reset": func(q *T, d time.Duration) func() int {
		var n atomic.Int32
		q.Clock().AfterFunc(time.Hour, func() { n.Add(1) }).Reset(d)
		return func() int { return int(n.Load()) }
	},
}

func countTicks(q *T, ticks <-chan time.Time) func() int {
	var n atomic.Int32
	go func() {
		select {
		case <-ticks:
			n.Add(1)
		case <-q.Context().Done():
		}
	}()
	q.Wait()
	return func() int { return int(n.Load()) }
}

// TestSleepSeesItsInstant: whatever the test waited for before, Sleep returns behind
// the effects of its own instant, and not before it ahead of them.
func TestSleepSeesItsInstant(t *testing.T) {
	for name, begin := range ownInstant {
		t.Run(name, func(t *testing.T) {
			Run(t, func(q *T) {
				for i := range 200 {
					if i%3 == 0 {
						q.Clock().Sleep(time.Millisecond) // displaces what follows
						q.Wait()
					}
					happened := begin(q, time.Second)
					q.Sleep(time.Second - 1)
					require.Zero(q, happened(), "round %d", i)
					q.Sleep(1)
					require.Equal(q, 1, happened(), "round %d", i)
				}
				require.Equal(q, 200*time.Second+67*time.Millisecond, q.Elapsed())
			})
		})
	}
}

// TestSleepSeesWhatOthersBegan: what others set going on package time counts from
// where the clock displaced them to.
func TestSleepSeesWhatOthersBegan(t *testing.T) {
	Run(t, func(q *T) {
		var n atomic.Int32
		for range 100 {
			q.Clock().AfterFunc(time.Second, func() { time.AfterFunc(time.Second, func() { n.Add(1) }) })
		}
		q.Sleep(time.Second)
		require.Zero(q, n.Load())
		q.Sleep(time.Second)
		require.EqualValues(q, 100, n.Load())
		require.Equal(q, 2*time.Second, q.Elapsed())
		require.LessOrEqual(q, q.ClockStats().MaxDisplacement, 101*time.Nanosecond)
	})
}

// TestSleepDoesNotPassALaterEvent: one that is due so shortly after the instant
// that displaced events of it are still to come.
func TestSleepDoesNotPassALaterEvent(t *testing.T) {
	Run(t, func(q *T) {
		for range 100 {
			q.Clock().AfterFunc(time.Second, func() {})
		}
		q.Sleep(time.Second)
		var later atomic.Bool
		q.Clock().AfterFunc(time.Second+50, func() { later.Store(true) })
		q.Sleep(time.Second)
		require.False(q, later.Load())
		require.Equal(q, 2*time.Second, q.Elapsed())
		q.Sleep(50)
		require.True(q, later.Load())
		require.Equal(q, 2*time.Second+50, q.Elapsed())
	})
}

// TestSleepDisplacesNothing: a test that only sleeps has the raw instants of a
// plain bubble, and never drifts away from the nominal ones.
func TestSleepDisplacesNothing(t *testing.T) {
	Run(t, func(q *T) {
		begin := time.Now()
		for range 1000 {
			q.Sleep(time.Second)
		}
		require.Equal(q, 1000*time.Second, time.Since(begin))
		for range 1000 {
			q.Clock().Sleep(time.Second)
			q.Sleep(time.Second)
			q.Wait()
		}
		require.Less(q, time.Since(begin)-3000*time.Second, 5*time.Nanosecond)
		require.Equal(q, 3000*time.Second, q.Elapsed())
	})
}

// TestSleepersGoOnInTurn: those who sleep until one instant go on in the order of the
// calls, each when the one before has come to rest.
func TestSleepersGoOnInTurn(t *testing.T) {
	for range 20 {
		Run(t, func(q *T) {
			var order []string // no lock: the race detector must see the order
			var wg sync.WaitGroup
			wg.Add(10)
			for i := range 10 {
				q.Clock().AfterFunc(time.Duration(i)*time.Millisecond, func() {
					defer wg.Done()
					q.Sleep(time.Second - time.Duration(i)*time.Millisecond)
					order = append(order, fmt.Sprint(i))
					q.Wait()
					order = append(order, fmt.Sprint(i, " again"))
				})
			}
			q.Clock().Sleep(10 * time.Millisecond)
			wg.Wait()
			require.Equal(q, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, order[:10])
			require.Len(q, order, 20)
			require.Equal(q, time.Second, q.Elapsed())
		})
	}
}

// TestTickerStopReset is TestMock_Ticker_Stop_Reset of the clock's own tests.
func TestTickerStopReset(t *testing.T) {
	Run(t, func(q *T) {
		ticker := q.Clock().Ticker(5 * time.Second)
		defer ticker.Stop()
		var n atomic.Int32
		go func() {
			for {
				select {
				case <-ticker.C:
					n.Add(1)
				case <-q.Context().Done():
					return
				}
			}
		}()
		var counts []int32
		add := func(d time.Duration) {
			q.Sleep(d)
			counts = append(counts, n.Load())
		}
		add(10 * time.Second)
		ticker.Stop()
		add(5 * time.Second)
		ticker.Reset(2 * time.Second)
		add(2 * time.Second)
		add(2 * time.Second)
		require.Equal(q, []int32{2, 2, 3, 4}, counts)
	})
}

// TestSelfResetDoesNotDrift: a day of seconds, by functions that reset their own
// timers, beside others that meet them.
func TestSelfResetDoesNotDrift(t *testing.T) {
	Run(t, func(q *T) {
		const day = 24 * 60 * 60
		loop := func(d time.Duration) *atomic.Int64 {
			var n atomic.Int64
			var timer atomic.Pointer[clock.Timer]
			begin := q.Clock().Now()
			timer.Store(q.Clock().AfterFunc(d, func() {
				if at := q.Clock().Since(begin); at != d*time.Duration(n.Add(1)) {
					q.Errorf("run %d of a timer every %v is at %v", n.Load(), d, at)
				}
				timer.Load().Reset(d)
			}))
			q.Cleanup(func() { timer.Load().Stop() })
			return &n
		}
		second, other, twice := loop(time.Second), loop(time.Second), loop(2*time.Second)
		q.Clock().Sleep(time.Millisecond)
		late := loop(time.Second)
		for range day / 3600 {
			q.Sleep(time.Hour)
		}
		require.EqualValues(q, day, second.Load())
		require.EqualValues(q, day, other.Load())
		require.EqualValues(q, day/2, twice.Load())
		require.EqualValues(q, day, late.Load())
		require.Less(q, q.ClockStats().MaxDisplacement, 20*time.Nanosecond)
	})
}

// TestSelfResetsKeepTheirOrder: two loops that meet at an instant of the runtime.
func TestSelfResetsKeepTheirOrder(t *testing.T) {
	orders := map[string]int{}
	for range 50 {
		Run(t, func(q *T) {
			var mu sync.Mutex
			var order string
			loop := func(name string, d time.Duration) {
				var timer interface{ Reset(time.Duration) bool }
				made := make(chan struct{})
				clocks := q.Clock().AfterFunc(d, func() {
					<-made
					mu.Lock()
					order += name
					mu.Unlock()
					timer.Reset(d)
				})
				timer = clocks
				close(made)
				q.Cleanup(func() { clocks.Stop() })
			}
			loop("a", 2*time.Second)
			loop("b", 3*time.Second)
			q.Sleep(time.Minute)
			orders[order]++
		})
	}
	require.Len(t, orders, 1)
}
