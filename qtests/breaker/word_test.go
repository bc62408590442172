package breaker

import (
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
		w := newWord(processors)
		require.Len(t, w.parts, parts, "%d processors", processors)
		w.publish(passing, 0)
		for range 100 {
			_, ok := w.admit()
			require.True(t, ok)
		}
		running, successes := w.collect()
		require.Equal(t, 100, running)
		require.Zero(t, successes)
	}
}

// A call may be admitted in one part and finish in another, and a part may be published with
// fewer calls in flight than finish in it.
func TestWordWithManyPartsIsExact(t *testing.T) {
	w := word{parts: make([]part, 8), shift: 61}
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
				if generation, ok := w.admit(); !ok {
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
					if !w.succeed(7) {
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

// Of another generation, of a part that is full and of a word that is not clean nothing is taken.
func TestWordRefuses(t *testing.T) {
	w := newWord(1)
	_, ok := w.admit()
	require.False(t, ok, "not published")
	w.publish(passing|clean|3<<generationShift, 2)
	require.False(t, w.succeed(4))
	require.True(t, w.succeed(3))
	running, successes := w.collect()
	require.Equal(t, 1, running)
	require.EqualValues(t, 1, successes)

	w.publish(passing, maxRunning)
	require.False(t, w.succeed(0), "not clean")
	for range noneRunning - 1 - maxRunning {
		_, ok := w.admit()
		require.True(t, ok)
	}
	_, ok = w.admit()
	require.False(t, ok, "full")

	w = newWord(1)
	w.publish(passing|clean, 0)
	for range maxSuccesses {
		require.True(t, w.succeed(0))
	}
	require.False(t, w.succeed(0), "full")
	running, successes = w.collect()
	require.Equal(t, -maxSuccesses, running, "more finished here than were admitted")
	require.EqualValues(t, maxSuccesses, successes)
}
