package qtests

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// crowd runs f beside n goroutines that wait at the end of a call of some depth.
func crowd(b *testing.B, n int, f func()) {
	b.Helper()
	gate := make(chan struct{})
	var ready, all sync.WaitGroup
	var wait func(depth int)
	wait = func(depth int) {
		if depth == 0 {
			ready.Done()
			<-gate
			return
		}
		wait(depth - 1)
	}
	ready.Add(n)
	all.Add(n)
	for range n {
		go func() {
			defer all.Done()
			wait(5)
		}()
	}
	ready.Wait()
	f()
	close(gate)
	all.Wait()
}

// BenchmarkLeakCheck prints what a leak check costs beside 10,000 goroutines as
// a share of what goleak's costs. Both allow all that is there, so neither waits.
func BenchmarkLeakCheck(b *testing.B) {
	measure := func(f func()) time.Duration {
		begun := time.Now()
		f()
		return time.Since(begun)
	}
	crowd(b, 10_000, func() {
		current := goleak.IgnoreCurrent()
		var goleaks, ours, bubbles time.Duration
		for b.Loop() {
			goleaks += measure(func() { require.NoError(b, goleak.Find(current)) })
			ours += measure(func() {
				require.Empty(b, tbtest.Run(b.Name(), func(r *tbtest.TB) { CheckLeaks(r) }).Errors())
			})
			bubbles += measure(func() { require.Empty(b, stacks.OfBubble(1<<60)) })
		}
		n := float64(b.N)
		b.ReportMetric(goleaks.Seconds()*1e3/n, "goleak-ms/op")
		b.ReportMetric(ours.Seconds()*1e3/n, "CheckLeaks-ms/op")
		b.ReportMetric(bubbles.Seconds()*1e3/n, "bubble-ms/op")
		b.ReportMetric(float64(ours)/float64(goleaks), "CheckLeaks/goleak")
		b.ReportMetric(float64(bubbles)/float64(goleaks), "bubble/goleak")
	})
}

// BenchmarkLimitHeap prints what LimitHeap adds to a test, and is LimitHeap in a
// benchmark.
func BenchmarkLimitHeap(b *testing.B) {
	LimitHeap(b, 1<<20)
	LimitGoroutines(b, 10)
	b.ResetTimer()
	for b.Loop() {
		r := tbtest.Run("BenchmarkInner", func(r *tbtest.TB) { LimitHeap(r, 16<<10) })
		if r.Failed() {
			b.Fatal(r.Errors())
		}
	}
}
