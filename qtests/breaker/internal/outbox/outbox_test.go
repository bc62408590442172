package outbox

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDeliversInOrderOnce(t *testing.T) {
	var q Queue[int]
	var got []int
	require.False(t, q.Due())
	q.Deliver(func(int) { t.Error("nothing was put in") })
	for i := range 5 {
		q.Put(i)
	}
	require.True(t, q.Due())
	q.Deliver(func(v int) {
		require.False(t, q.Due(), "a goroutine is delivering")
		got = append(got, v)
		if v == 2 {
			q.Put(5)
			q.Deliver(func(int) { t.Error("two at once") })
		}
	})
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, got)
	require.False(t, q.Due())
}

func TestTheOthersFollowOneThatPanicsOrExits(t *testing.T) {
	for name, leave := range map[string]func(){"panic": func() { panic("mine") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			var q Queue[int]
			var got []int
			q.Put(1)
			q.Put(2)
			q.Put(3)
			returned, value := false, any(nil)
			var wg sync.WaitGroup
			wg.Go(func() {
				defer func() { value = recover() }()
				q.Deliver(func(v int) {
					got = append(got, v)
					if v < 3 {
						leave()
					}
				})
				returned = true
			})
			wg.Wait()
			require.False(t, returned)
			require.Equal(t, name == "panic", value == "mine")
			require.Equal(t, []int{1, 2, 3}, got)
			q.Put(4)
			require.True(t, q.Due(), "the queue goes on")
			q.Deliver(func(v int) { got = append(got, v) })
			require.Equal(t, []int{1, 2, 3, 4}, got)
		})
	}
}

// Every value is delivered, one at a time, from whichever goroutine it comes. When all have
// ended, nothing waits.
func TestUnderConcurrency(t *testing.T) {
	const goroutines, values = 8, 500
	var q Queue[[2]int]
	var next [goroutines]int // unsynchronized: the race detector sees two at once
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range values {
				q.Put([2]int{g, i})
				q.Deliver(func(v [2]int) {
					if next[v[0]] != v[1] {
						t.Errorf("goroutine %d: value %d, want %d", v[0], v[1], next[v[0]])
					}
					next[v[0]]++
				})
			}
		})
	}
	wg.Wait()
	for g, n := range next {
		require.Equal(t, values, n, g)
	}
	require.False(t, q.Due())
}
