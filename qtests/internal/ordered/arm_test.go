package ordered_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// reportOf returns the report of the next bubble after f has run in it, and whether it is ordered.
func reportOf(t *testing.T, f func()) (r ordered.Report, ok bool) {
	synctest.Test(t, func(*testing.T) {
		f()
		r, ok = ordered.Now()
	})
	return r, ok
}

// TestArm orders one bubble, the next of the goroutine, as the last call says.
func TestArm(t *testing.T) {
	needsOrdered(t)
	work := func() { release(20) }
	require.NoError(t, ordered.Arm(1, false, nil))
	plain, ok := reportOf(t, work)
	require.True(t, ok)
	_, ok = reportOf(t, work)
	require.False(t, ok, "the one behind it")

	require.NoError(t, ordered.Arm(1, false, nil))
	require.NoError(t, ordered.Arm(2, true, nil))
	drawn, ok := reportOf(t, work)
	require.True(t, ok)
	require.NotEqual(t, plain.Hash, drawn.Hash)
	_, ok = reportOf(t, work)
	require.False(t, ok)

	require.NoError(t, ordered.Arm(1, false, nil))
	other := make(chan bool)
	go func() {
		_, ok := reportOf(t, work)
		other <- ok
	}()
	require.False(t, <-other, "another goroutine's bubble")
	again, ok := reportOf(t, work)
	require.True(t, ok)
	require.Equal(t, plain, again)
}

func TestArmInABubble(t *testing.T) {
	inBubble(t, 1, nil, func(t *testing.T) { require.EqualError(t, ordered.Arm(1, false, nil), "ordered: in a bubble") })
}

// TestQuiet: what a quiet goroutine starts and wakes runs, also where that goroutine goes on.
func TestQuiet(t *testing.T) {
	gate := make(chan bool)
	var woken, started atomic.Bool
	go func() {
		<-gate
		woken.Store(true)
	}()
	ordered.Quiet(true)
	defer ordered.Quiet(false)
	go started.Store(true)
	for !started.Load() { // it calls nothing of the runtime
	}
	close(gate)
	for !woken.Load() {
	}
}

// TestQuietInABubble: there it says nothing.
func TestQuietInABubble(t *testing.T) {
	needsOrdered(t)
	run := func(quiet bool) ordered.Report {
		require.NoError(t, ordered.Arm(1, true, nil))
		r, _ := reportOf(t, func() {
			ordered.Quiet(quiet)
			release(20)
		})
		return r
	}
	require.Equal(t, run(false), run(true))
}

// TestTurnsAreUsedAgain: what a bubble has left in its turn does not show in the next one,
// whether it had few goroutines or very many, one draws or not, and one was disturbed or not.
func TestTurnsAreUsedAgain(t *testing.T) {
	needsOrdered(t)
	small := func(seed uint64) ordered.Report {
		require.NoError(t, ordered.Arm(seed, seed != 1, nil))
		r, _ := reportOf(t, func() {
			release(40)
			time.Sleep(time.Second)
			release(3)
		})
		return r
	}
	want := map[uint64]ordered.Report{1: small(1), 2: small(2)}
	c := make(chan int)
	for _, before := range []func(){
		func() {},
		func() { release(5) },
		func() { release(100) },
		func() { release(5000) },
		func() { <-c }, // from outside
		func() { time.AfterFunc(time.Hour, func() {}) },
	} {
		for seed, report := range want {
			require.NoError(t, ordered.Arm(3-seed, seed == 1, nil))
			done := make(chan bool)
			go func() {
				for {
					select {
					case c <- 1:
					case <-done:
						return
					}
				}
			}()
			reportOf(t, before)
			close(done)
			require.Equal(t, report, small(seed))
		}
	}
}
