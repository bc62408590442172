package breaker

import (
	"math/bits"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func TestNewWord(t *testing.T) {
	for processors, parts := range map[int]int{1: 1, 2: 8, 3: 16, 8: 32, 1000: 32} {
		if ordered.Available() {
			parts = 1
		}
		var w word
		w.init(processors)
		require.Len(t, w.parts, parts, "%d processors", processors)
		w.publish(passing, 0)
		for range 100 {
			_, ok := w.admit(w.partHere())
			require.True(t, ok)
		}
		running, successes := w.collect()
		require.Equal(t, 100, running)
		require.Zero(t, successes)
	}
}

// A call may be admitted by the lock and finish in a part, and a part may be published with fewer
// calls in flight than finish in it.
func TestWordWithManyPartsIsExact(t *testing.T) {
	w := word{parts: make([]part, 8), shift: 61}
	w.scatter.Store(golden)
	const goroutines, calls = 16, 2000
	var mu sync.Mutex
	running, successes := 0, uint64(0)
	flags := uint64(passing | clean | 7<<generationShift)
	w.publish(flags, running)
	collect := func() {
		r, s := w.collect()
		running, successes = r, successes+s
	}
	slow := func(change func()) {
		mu.Lock()
		defer mu.Unlock()
		collect()
		change()
		w.publish(flags, running)
	}
	var all, admitted sync.WaitGroup
	admitted.Add(goroutines)
	for range goroutines {
		all.Go(func() {
			for i := range calls {
				part := w.partHere()
				if generation, ok := w.admit(part); !ok {
					slow(func() { running++ })
				} else if generation != 7 {
					t.Error("another generation:", generation)
				}
				if i == 0 { // all are in flight at once
					admitted.Done()
					admitted.Wait()
				}
				done := make(chan struct{})
				finish := func() {
					defer close(done)
					if !w.succeed(part, 7) {
						slow(func() { running--; successes++ })
					}
				}
				if i%8 == 0 {
					go finish() // on another stack
				} else {
					finish()
				}
				<-done
			}
		})
	}
	for range 200 {
		slow(func() {
			require.GreaterOrEqual(t, running, 0)
			require.LessOrEqual(t, running, goroutines)
		})
		runtime.Gosched()
	}
	all.Wait()
	collect()
	require.Zero(t, running)
	require.EqualValues(t, goroutines*calls, successes)
}

// Two goroutines that meet in a part again and again get other parts.
func TestWordParts(t *testing.T) {
	w := word{parts: make([]part, 8), shift: 61}
	w.scatter.Store(golden)
	const one = 1 << 30
	other := uint64(one + 1)
	for w.partOf(other) != w.partOf(one) {
		other++
	}
	apart := 0
	for n := 1; n <= 1<<14; n++ {
		before := w.scatter.Load()
		w.collide(&w.parts[0])
		changed := w.scatter.Load() != before
		require.Equal(t, n >= 64 && bits.OnesCount(uint(n)) == 1, changed, n)
		if changed && w.partOf(one) != w.partOf(other) {
			apart++
		}
	}
	require.Greater(t, apart, 5, "of 9 changes")
	w.collide(&w.parts[1])
	require.EqualValues(t, 1, w.parts[1].collisions.Load())
}

// Of another generation, of a part that is full and of a word that is not clean nothing is taken.
func TestWordRefuses(t *testing.T) {
	var w word
	w.init(1)
	_, ok := w.admit(0)
	require.False(t, ok, "not published")
	w.publish(passing|clean|3<<generationShift, 2)
	require.False(t, w.succeed(0, 4))
	require.True(t, w.succeed(0, 3))
	running, successes := w.collect()
	require.Equal(t, 1, running)
	require.EqualValues(t, 1, successes)

	w.publish(passing, maxRunning)
	require.False(t, w.succeed(0, 0), "not clean")
	for range noneRunning - 1 - maxRunning {
		_, ok := w.admit(0)
		require.True(t, ok)
	}
	_, ok = w.admit(0)
	require.False(t, ok, "full")

	w.init(1)
	w.publish(passing|clean, 0)
	taken := 0
	for taken <= noneRunning && w.succeed(0, 0) {
		taken++
	}
	require.Equal(t, noneRunning, taken)
	running, successes = w.collect()
	require.Equal(t, -noneRunning, running, "more finished here than were admitted")
	require.EqualValues(t, noneRunning, successes)

	w.publish(passing|clean, 0)
	for taken = 0; taken <= maxSuccesses; taken++ {
		if _, ok = w.admit(0); !ok || !w.succeed(0, 0) {
			break
		}
	}
	require.Equal(t, maxSuccesses, taken)
	running, successes = w.collect()
	require.Equal(t, 1, running, "the call whose success found no room")
	require.EqualValues(t, maxSuccesses, successes)
}
