package bench

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// A requestLoop calls request, which takes as long as latency, n times: one every
// gap, each in a goroutine that no other request is in meanwhile. It returns when
// all have ended.
type requestLoop func(n int, latency time.Duration, request func())

func rawLoop(n int, _ time.Duration, request func()) {
	var wg sync.WaitGroup
	for range n {
		time.Sleep(gap)
		wg.Go(request)
	}
	wg.Wait()
}

func armedByTimer(n int, _ time.Duration, request func()) {
	var wg sync.WaitGroup
	wg.Add(n)
	k := 0
	var fire func()
	fire = func() {
		if k++; k < n {
			time.AfterFunc(gap, fire)
		}
		request()
		wg.Done()
	}
	time.AfterFunc(gap, fire)
	wg.Wait()
}

func reusedGoroutines(n int, latency time.Duration, request func()) {
	start := time.Now()
	takeTurns(n, latency, func(k int) {
		time.Sleep(time.Until(start.Add(time.Duration(k+1) * gap)))
		request()
	})
}

// takeTurns calls turn with 0 to n-1, from as few goroutines as can be in time for
// each: those with a request under way, and the one that waits for the next arrival.
func takeTurns(n int, latency time.Duration, turn func(k int)) {
	goroutines := int(latency/gap) + 2
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for k := g; k < n; k += goroutines {
				turn(k)
			}
		})
	}
	wg.Wait()
}

// reusedOnClock is the loop of reused goroutines on the tie-free clock, on which each
// of them reserves the place of its next arrival before its request, as a run does. It
// records the requests, if there is something to record them in.
func reusedOnClock(latency time.Duration, sleep sleeper, record *endings) fakeLoop {
	return func(n int) error {
		return inRun(func(q *qtests.T) {
			err := took(n, latency, func() { reserved(q, n, latency, func() { sleep(q, latency) }, record) })
			if record != nil {
				err = firstOf(err, record.all(n, latency))
			}
			if err != nil {
				q.Error(err)
			}
		})
	}
}

func reserved(q *qtests.T, n int, latency time.Duration, request func(), record *endings) {
	clk := q.Clock()
	goroutines := int(latency/gap) + 2
	start := clk.Now()
	var wg sync.WaitGroup
	for g := range min(goroutines, n) {
		place := qtests.Reserve(clk, time.Duration(g+1)*gap)
		wg.Go(func() {
			for k := g; ; {
				at := place.Sleep().Sub(start)
				due := time.Duration(k+1) * gap
				if k += goroutines; k < n {
					place = qtests.Reserve(clk, time.Duration(k+1)*gap-at)
				}
				request()
				if record != nil {
					record.add(due, at, clk.Since(start))
				}
				if k >= n {
					return
				}
			}
		})
	}
	wg.Wait()
}

// endings are what a run records of its requests in histograms.
type endings struct {
	mu                      sync.Mutex
	response, service, late result.Histogram
}

func (e *endings) add(due, started, ended time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.late.Record(started - due)
	e.response.Record(ended - due)
	e.service.Record(ended - started)
}

// all checks that n requests are recorded, and empties the histograms.
func (e *endings) all(n int, latency time.Duration) error {
	defer func() { *e = endings{} }()
	for _, h := range []*result.Histogram{&e.response, &e.service} {
		if h.Count() != int64(n) || h.Min() != latency || h.Max() != latency {
			return fmt.Errorf("%d of %d requests are recorded, of %v to %v", h.Count(), n, h.Min(), h.Max())
		}
	}
	return nil
}

// took calls a loop in a bubble and checks how much fake time that takes: the last
// of the requests arrives after n gaps and then sleeps.
func took(n int, latency time.Duration, loop func()) error {
	start := time.Now()
	loop()
	return inFakeTime(time.Since(start), n, latency)
}

func inFakeTime(elapsed time.Duration, n int, latency time.Duration) error {
	// The tie-free clock moves an event by nanoseconds, no more.
	if want := time.Duration(n)*gap + latency; elapsed.Round(time.Microsecond) != want {
		return fmt.Errorf("%d requests took %v of fake time, not %v", n, elapsed, want)
	}
	return nil
}

// tookAsLong checks that every request of a run has slept.
func tookAsLong(res *result.Result, n int, latency time.Duration) error {
	if min, max := res.Response.Min(), res.Response.Max(); min != latency || max != latency {
		return fmt.Errorf("requests took %v to %v, not %v", min, max, latency)
	}
	return inFakeTime(res.Elapsed, n, latency)
}

// mockLoop is the raw loop on a clock that is stepped by hand, outside any bubble.
func mockLoop(n int) error {
	mock := clock.NewMock()
	var left, short atomic.Int64
	left.Store(int64(n))
	for range n {
		mock.Add(gap)
		go func() {
			started := mock.Now()
			mock.Sleep(apart)
			if mock.Since(started) < apart {
				short.Add(1)
			}
			left.Add(-1)
		}()
	}
	for left.Load() > 0 {
		mock.Add(gap)
	}
	if short.Load() > 0 {
		return fmt.Errorf("%d of %d requests did not sleep", short.Load(), n)
	}
	return nil
}
