package qtests

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
)

// places are a semaphore with a FIFO queue, the smallest pool there is.
type places struct {
	clk   clock.Clock
	mu    sync.Mutex
	free  int
	queue []chan struct{}
}

func (p *places) acquire(ctx context.Context) bool {
	p.mu.Lock()
	if p.free > 0 {
		p.free--
		p.mu.Unlock()
		return true
	}
	granted := make(chan struct{})
	p.queue = append(p.queue, granted)
	p.mu.Unlock()
	select {
	case <-granted:
		return true
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.queue, granted); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		return false
	}
	return true // granted at the last moment
}

func (p *places) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		p.free++
		return
	}
	next := p.queue[0]
	p.queue = p.queue[1:]
	InTurn(p.clk, func() { close(next) })
}

// contended is a scenario in which nearly everything ties: 100 users in step
// share five places, with timeouts, an outage and a monitor's ticks on the same
// milliseconds. It returns what happened, in order.
func contended(ctx context.Context, clk clock.Clock) string {
	var (
		mu     sync.Mutex
		digest = sha256.New()
		down   bool
		served int
		wg     sync.WaitGroup
	)
	begin := clk.Now()
	note := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(digest, "%v ", clk.Now().Sub(begin))
		fmt.Fprintf(digest, format+"\n", args...)
	}
	p := &places{clk: clk, free: 5}
	user := func(id int) {
		defer wg.Done()
		for turn := range 10 {
			ctx, cancel := clk.WithTimeout(ctx, 100*time.Millisecond)
			if p.acquire(ctx) {
				clk.Sleep(10 * time.Millisecond)
				mu.Lock()
				failed := down
				served++
				mu.Unlock()
				note("user %d turn %d failed %v", id, turn, failed)
				p.release()
			} else {
				note("user %d turn %d timed out", id, turn)
			}
			cancel()
			clk.Sleep(10 * time.Millisecond)
		}
	}
	set := func(v bool) func() {
		return func() {
			mu.Lock()
			down = v
			mu.Unlock()
			note("down %v", v)
		}
	}
	clk.AfterFunc(200*time.Millisecond, set(true))
	clk.AfterFunc(400*time.Millisecond, set(false))
	wg.Add(101)
	for id := range 100 {
		clk.AfterFunc(10*time.Millisecond, func() { user(id) })
	}
	clk.AfterFunc(10*time.Millisecond, func() {
		defer wg.Done()
		for range 100 {
			clk.Sleep(10 * time.Millisecond)
			mu.Lock()
			n := served
			mu.Unlock()
			note("served %d", n)
		}
	})
	wg.Wait()
	return fmt.Sprintf("%x", digest.Sum(nil)[:8])
}

// TestRepeatContended counts the outcomes of one scenario: on the clock of Run
// there is one, whatever the number of processors. On a plain bubble there are
// about as many as runs, which is shown and not judged.
func TestRepeatContended(t *testing.T) {
	runs := min(10*stress.Factor(t), 1000)
	ours, plain := map[string]int{}, map[string]int{}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		for range runs {
			Run(t, func(q *T) { ours[contended(q.Context(), q.Clock())]++ })
			synctest.Test(t, func(t *testing.T) { plain[contended(t.Context(), clock.New())]++ })
		}
	}
	t.Logf("%d runs each at GOMAXPROCS 1, 2 and 8: a plain bubble has %d outcomes, qtests.Run has %d", runs, len(plain), len(ours))
	require.Len(t, ours, 1)
}
