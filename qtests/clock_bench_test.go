package qtests

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkSleepers compares the tie-free Sleep with the plain one, in bubbles
// of 1,000 goroutines that each sleep again and again. It prints, from pairs
// that run one right after the other, the ratio of the medians and the allocations
// that one Sleep adds. In "apart" no two sleepers ever wait for the same instant,
// so that both clocks fire one wait at a time. In "paces" they meet now and then, and
// in "ties" always: what the plain clock then fires at once and at random, on all
// processors, the tie-free one fires one by one, in order.
func BenchmarkSleepers(b *testing.B) {
	b.Run("apart", func(b *testing.B) {
		compareSleeps(b, func(i int) time.Duration { return time.Millisecond + time.Duration(i)*1009 })
	})
	b.Run("paces", func(b *testing.B) {
		compareSleeps(b, func(i int) time.Duration { return time.Millisecond + time.Duration(i)*time.Microsecond })
	})
	b.Run("ties", func(b *testing.B) {
		compareSleeps(b, func(int) time.Duration { return time.Millisecond })
	})
}

func compareSleeps(b *testing.B, pace func(i int) time.Duration) {
	const sleepers, rounds = 1000, 100
	type reading struct {
		d      time.Duration
		allocs uint64
	}
	measure := func(q *T, sleep func(time.Duration)) reading {
		var before, after runtime.MemStats
		var wg sync.WaitGroup
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := q.RealElapsed()
		for i := range sleepers {
			wg.Go(func() {
				for range rounds {
					sleep(pace(i))
				}
			})
		}
		wg.Wait()
		d := q.RealElapsed() - start
		runtime.ReadMemStats(&after)
		return reading{d, after.Mallocs - before.Mallocs}
	}
	var plain, tieFree []reading
	Bench(b, func(q *T) {
		// The order within a pair changes, so that neither always has a warm cache.
		if len(plain)%2 == 0 {
			plain = append(plain, measure(q, time.Sleep))
			tieFree = append(tieFree, measure(q, q.Clock().Sleep))
		} else {
			tieFree = append(tieFree, measure(q, q.Clock().Sleep))
			plain = append(plain, measure(q, time.Sleep))
		}
	})
	median := func(all []reading) reading {
		d, allocs := make([]time.Duration, len(all)), make([]uint64, len(all))
		for i, r := range all {
			d[i], allocs[i] = r.d, r.allocs
		}
		slices.Sort(d)
		slices.Sort(allocs)
		return reading{d[len(d)/2], allocs[len(d)/2]}
	}
	p, t := median(plain), median(tieFree)
	const sleeps = sleepers * rounds
	b.ReportMetric(0, "ns/op") // of the pair, which says nothing
	b.ReportMetric(float64(p.d)/sleeps, "plain-ns/sleep")
	b.ReportMetric(float64(t.d)/sleeps, "tiefree-ns/sleep")
	b.ReportMetric(float64(t.d)/float64(p.d), "ratio")
	b.ReportMetric((float64(t.allocs)-float64(p.allocs))/sleeps, "extra-allocs/sleep")
}
