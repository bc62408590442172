package qtests

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// On the ordered runtime time passes while a goroutine waits for a mutex of its bubble.

// A lockCase holds something over an hour at a time.
type lockCase struct {
	name  string
	body  func(q *T)
	hours int // that it takes
}

// hold holds a lock for an hour.
func hold(q *T, lock sync.Locker) {
	lock.Lock()
	defer lock.Unlock()
	q.Sleep(time.Hour)
}

// at starts hold that many minutes from the beginning, in wg.
func at(q *T, wg *sync.WaitGroup, minute int, lock sync.Locker) {
	wg.Go(func() {
		q.Sleep(time.Duration(minute) * time.Minute)
		hold(q, lock)
	})
}

var lockCases = []lockCase{
	{"mutex", func(q *T) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 10 {
			at(q, &wg, 0, &mu)
		}
		wg.Wait()
	}, 10},
	{"mutex, with TryLock", func(q *T) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		require.True(q, mu.TryLock())
		at(q, &wg, 1, &mu)
		q.Sleep(time.Hour)
		require.False(q, mu.TryLock())
		mu.Unlock()
		wg.Wait()
		require.True(q, mu.TryLock())
		mu.Unlock()
	}, 2},
	{"readers together", func(q *T) {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		for range 10 {
			at(q, &wg, 0, mu.RLocker())
		}
		wg.Wait()
	}, 1},
	{"a writer behind readers", func(q *T) {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		for range 3 {
			at(q, &wg, 0, mu.RLocker())
		}
		at(q, &wg, 1, &mu)
		wg.Wait()
	}, 2},
	{"readers behind a writer", func(q *T) {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		at(q, &wg, 0, &mu)
		for range 3 {
			at(q, &wg, 1, mu.RLocker())
		}
		wg.Wait()
	}, 2},
	{"a writer between two readers", func(q *T) {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		at(q, &wg, 0, mu.RLocker())
		at(q, &wg, 1, &mu)
		at(q, &wg, 2, mu.RLocker())
		wg.Wait()
	}, 3},
	{"writers behind writers", func(q *T) {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		for minute := range 5 {
			at(q, &wg, minute, &mu)
		}
		wg.Wait()
	}, 5},
	{"a reader by TryRLock", func(q *T) {
		var mu sync.RWMutex
		var wg sync.WaitGroup
		require.True(q, mu.TryRLock())
		at(q, &wg, 1, &mu)
		q.Sleep(30 * time.Minute)
		require.False(q, mu.TryRLock(), "a writer waits")
		q.Sleep(30 * time.Minute)
		mu.RUnlock()
		q.Sleep(time.Minute)
		require.False(q, mu.TryLock())
		wg.Wait()
		require.True(q, mu.TryLock())
	}, 2},
	{"once", func(q *T) {
		var once sync.Once
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { once.Do(func() { q.Sleep(time.Hour) }) })
		}
		wg.Wait()
	}, 1},
	{"a value made once, and one that panics", func(q *T) {
		value := sync.OnceValue(func() int { q.Sleep(time.Hour); return 1 })
		bad := sync.OnceFunc(func() { q.Sleep(time.Hour); panic("bad") })
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { require.Equal(q, 1, value()) })
			wg.Go(func() { require.Panics(q, bad) })
		}
		wg.Wait()
	}, 1},
	{"sync.Map", func(q *T) {
		var m sync.Map
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				m.Store(i%10, i)
				m.Range(func(any, any) bool { return true })
				q.Sleep(time.Hour)
				m.CompareAndDelete(i%10, i)
			})
		}
		wg.Wait()
		m.Range(func(any, any) bool { q.Errorf("something is left"); return false })
	}, 1},
	{"cond", func(q *T) {
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		var wg sync.WaitGroup
		ready := false
		for range 3 {
			wg.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				for !ready {
					cond.Wait()
				}
				q.Sleep(time.Hour)
			})
		}
		q.Sleep(time.Hour)
		mu.Lock()
		ready = true
		mu.Unlock()
		cond.Broadcast()
		wg.Wait()
	}, 4},
}

func TestLocksHeldOverHours(t *testing.T) {
	onOrdered(t)
	for _, c := range lockCases {
		for _, seed := range []uint64{1, 2, 3} {
			t.Run(c.name, func(t *testing.T) {
				o := runBubble(t, bubbleConfig{seed: seed}, func(q *T) {
					c.body(q)
					// The waits for minutes may end behind the last hour begins, never later.
					require.Equal(q, time.Duration(c.hours)*time.Hour, q.Elapsed().Truncate(time.Hour))
					require.True(q, q.Order().Whole(), "%v", q.Order())
				})
				o.report(t)
			})
		}
	}
}

// TestLocksHeldOutside: the time of a bubble stands while it waits for one, for how long
// only those outside know.
func TestLocksHeldOutside(t *testing.T) {
	onOrdered(t)
	for name, c := range map[string]struct {
		held, wanted func(mu *sync.RWMutex) sync.Locker
		state        string
	}{
		"a writer for a reader": {(*sync.RWMutex).RLocker, writer, "sync.RWMutex.Lock"},
		"a reader for a writer": {writer, (*sync.RWMutex).RLocker, "sync.RWMutex.RLock"},
		"a writer for a writer": {writer, writer, "sync.Mutex.Lock"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.RWMutex
			held := c.held(&mu)
			held.Lock()
			seen := make(chan stacks.Goroutine, 1)
			var passed atomic.Bool
			go func() {
				seen <- whenWaiting("lockIt", c.state, func() {
					for range 100 {
						if passed.Load() {
							t.Error("time has passed")
						}
					}
					held.Unlock()
				})
			}()
			o := orderAfter(t, func(q *T) {
				time.AfterFunc(time.Nanosecond, func() { passed.Store(true) })
				lockIt(c.wanted(&mu))
				require.Zero(q, q.Elapsed())
			})
			require.EqualValues(t, 1, o.Disturbances)
			waiter := <-seen
			require.False(t, waiter.Durable, "%s", waiter.Stack)
		})
	}
}

func writer(mu *sync.RWMutex) sync.Locker { return mu }

//go:noinline
func lockIt(l sync.Locker) {
	l.Lock()
	defer l.Unlock() // to wait for it is all that is wanted
}

// TestReadersInsideAndOutside: one reader of each; a writer inside waits for both.
func TestReadersInsideAndOutside(t *testing.T) {
	onOrdered(t)
	var mu sync.RWMutex
	mu.RLock()
	seen := make(chan stacks.Goroutine, 1)
	go func() { seen <- whenWaiting("lockIt", "sync.RWMutex.Lock", mu.RUnlock) }()
	orderAfter(t, func(q *T) {
		mu.RLock()
		var wg sync.WaitGroup
		wg.Go(func() { lockIt(&mu) })
		wg.Go(mu.RUnlock)
		wg.Wait()
		require.Zero(q, q.Elapsed())
	})
	require.False(t, (<-seen).Durable)
}

// TestWaitersAreDurable: a dump says of them that time may pass.
func TestWaitersAreDurable(t *testing.T) {
	onOrdered(t)
	Run(t, func(q *T) {
		var mu sync.Mutex
		var rw, read sync.RWMutex
		mu.Lock()
		rw.Lock()
		read.RLock()
		go lockIt(&mu)
		go lockIt(rw.RLocker())
		go lockIt(&read)
		q.Sleep(1)
		found := map[string]bool{}
		for _, g := range stacks.Where(stacks.Dump(), func(h *stacks.Header) bool { return h.Bubble == stacks.This().Bubble }) {
			if strings.Contains(g.Stack, ".lockIt(") {
				found[g.State] = g.Durable
			}
		}
		require.Equal(q, map[string]bool{"sync.Mutex.Lock": true, "sync.RWMutex.RLock": true, "sync.RWMutex.Lock": true}, found)
		mu.Unlock()
		rw.Unlock()
		read.RUnlock()
	})
}

// TestLocksForEver: a bubble in which nobody will unlock ends, and says who waits.
func TestLocksForEver(t *testing.T) {
	onOrdered(t)
	for name, says := range map[string]string{"body": "Nothing can wake the goroutines of this bubble any more", "left": "1 goroutine is left behind in the bubble"} {
		out, passed := runChild(t, "^TestChildLocks$/^"+name+"$")
		require.False(t, passed)
		require.Contains(t, out, says)
		require.Contains(t, out, " [sync.Mutex.Lock")
		require.Contains(t, out, ".lockIt(")
	}
}

func TestChildLocks(t *testing.T) {
	child(t)
	t.Run("body", func(t *testing.T) {
		Run(t, func(*T) {
			var mu sync.Mutex
			mu.Lock()
			lockIt(&mu)
		})
	})
	t.Run("left", func(t *testing.T) {
		Run(t, func(*T) {
			var mu sync.Mutex
			mu.Lock()
			go lockIt(&mu)
		})
	})
}
