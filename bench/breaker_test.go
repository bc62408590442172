package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// BenchmarkBreaker compares one call through a breaker with the same call
// through gobreaker and failsafe-go. The contestants take turns of 1000 calls in
// the same run, so that what slows the machine down slows all of them down, and
// the medians of their turns are compared:
//
//	qtests-ns, gobreaker-ns, failsafe-ns   one call
//	ratio                                  qtests-ns / gobreaker-ns
//	2locks-ns, 2locks+clock-ns             what two uncontended locks cost, and
//	                                       with one reading of the clock
//	qtests-allocs                          allocations of one of our calls
func BenchmarkBreaker(b *testing.B) {
	window := gobreaker.Settings{Interval: 10 * time.Second, BucketPeriod: time.Second}
	for _, bm := range []struct {
		name  string
		cfg   breaker.Config
		gob   gobreaker.Settings
		tweak func(circuitbreaker.Builder[int]) circuitbreaker.Builder[int]
		open  bool
	}{
		{name: "closed/consecutive", tweak: consecutive},
		{name: "closed/consecutive+SlowCall", cfg: breaker.Config{SlowCall: time.Second}, tweak: consecutive},
		{name: "closed/window=calls", cfg: breaker.Config{FailureRate: 0.5, WindowCalls: 100}, gob: window, tweak: ofCalls},
		{name: "closed/window=time", cfg: breaker.Config{FailureRate: 0.5, Window: 10 * time.Second}, gob: window, tweak: ofTime},
		{name: "closed/window=time+SlowCallRate", cfg: breaker.Config{
			FailureThreshold: 5, FailureRate: 0.5, Window: 10 * time.Second, SlowCall: time.Second, SlowCallRate: 0.5,
		}, gob: window, tweak: ofTime},
		{name: "open", cfg: breaker.Config{ResetTimeout: time.Hour}, gob: gobreaker.Settings{Timeout: time.Hour}, tweak: consecutive, open: true},
	} {
		ours, err := breaker.New(bm.cfg)
		if err != nil {
			b.Fatal(err)
		}
		gob := gobreaker.NewCircuitBreaker[int](bm.gob)
		safe := bm.tweak(circuitbreaker.NewBuilder[int]().WithDelay(time.Hour)).Build()
		if bm.open {
			ours.Trip()
			safe.Open()
			for gob.State() != gobreaker.StateOpen {
				_, _ = gob.Execute(func() (int, error) { return 0, errUpstream })
			}
		}
		turns := []func(n int){callOurs(ours), callGobreaker(gob), callFailsafe(safe), twoLocks, twoLocksAndClock}
		b.Run(bm.name, func(b *testing.B) { takeTurns(b, turns) })
	}
}

func consecutive(b circuitbreaker.Builder[int]) circuitbreaker.Builder[int] {
	return b.WithFailureThreshold(5)
}

func ofCalls(b circuitbreaker.Builder[int]) circuitbreaker.Builder[int] {
	return b.WithFailureThresholdRatio(50, 100)
}

func ofTime(b circuitbreaker.Builder[int]) circuitbreaker.Builder[int] {
	return b.WithFailureRateThreshold(0.5, 10, 10*time.Second)
}

var errUpstream = errors.New("upstream: down")

const turn = 1000

// takeTurns reports the medians. One iteration is one turn of everybody.
func takeTurns(b *testing.B, contestants []func(n int)) {
	times := make([][]time.Duration, len(contestants))
	for _, f := range contestants {
		f(turn) // whatever is made at the first call
	}
	for b.Loop() {
		for i, f := range contestants {
			start := time.Now()
			f(turn)
			times[i] = append(times[i], time.Since(start))
		}
	}
	ns := make([]float64, len(times))
	for i, ds := range times {
		slices.Sort(ds)
		ns[i] = float64(ds[len(ds)/2]) / turn
	}
	for i, name := range []string{"qtests-ns", "gobreaker-ns", "failsafe-ns", "2locks-ns", "2locks+clock-ns"} {
		b.ReportMetric(ns[i], name)
	}
	b.ReportMetric(ns[0]/ns[1], "ratio")
	b.ReportMetric(testing.AllocsPerRun(10, func() { contestants[0](turn) })/turn, "qtests-allocs")
	b.ReportMetric(0, "ns/op")
}

func callOurs(br *breaker.Breaker) func(n int) {
	ctx, f := context.Background(), func(context.Context) (int, error) { return 1, nil }
	return func(n int) {
		for range n {
			_, _ = breaker.Call(ctx, br, f)
		}
	}
}

func callGobreaker(cb *gobreaker.CircuitBreaker[int]) func(n int) {
	f := func() (int, error) { return 1, nil }
	return func(n int) {
		for range n {
			_, _ = cb.Execute(f)
		}
	}
}

func callFailsafe(cb circuitbreaker.CircuitBreaker[int]) func(n int) {
	f, executor := func() (int, error) { return 1, nil }, failsafe.With(cb)
	return func(n int) {
		for range n {
			_, _ = executor.Get(f)
		}
	}
}

// guarded keeps the critical sections below from being empty.
var guarded struct {
	sync.Mutex
	n  int
	at time.Time
}

func twoLocks(n int) {
	for range 2 * n {
		guarded.Lock()
		guarded.n++
		guarded.Unlock()
	}
}

func twoLocksAndClock(n int) {
	for range n {
		guarded.Lock()
		guarded.at = time.Now()
		guarded.Unlock()
		guarded.Lock()
		guarded.n++
		guarded.Unlock()
	}
}
