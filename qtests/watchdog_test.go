package qtests

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// What the watchdog makes of a standstill: since when, for how much of that by its looks, and of what.
func TestVerdicts(t *testing.T) {
	now := time.Unix(1e9, 0)
	mutex, network := stacks.Goroutine{State: "sync.Mutex.Lock"}, stacks.Goroutine{State: "IO wait"}
	both, forMutex, forNetwork := []stacks.Goroutine{network, mutex}, []stacks.Goroutine{mutex}, []stacks.Goroutine{network}
	const limit = time.Second
	for _, c := range []struct {
		still    time.Duration
		looks    int
		culprits []stacks.Goroutine
		warned   bool
		want     verdict
	}{
		{limit, stallSamples, forMutex, false, stalled},
		{limit, stallSamples, nil, false, moves},
		{limit - 1, stallSamples, forMutex, false, moves},
		{limit, stallSamples - 1, forMutex, false, moves},
		{10 * limit, stallSamples - 1, forMutex, false, moves}, // the samples came late
		{limit, 10 * stallSamples, forMutex, false, stalled},
		{limit, stallSamples, forNetwork, false, mayResolve},
		{limit, stallSamples, both, false, mayResolve},
		{limit, stallSamples, forNetwork, true, moves},
		{patience*limit - 1, patience * stallSamples, forNetwork, true, moves},
		{patience * limit, patience*stallSamples - 1, forNetwork, true, moves},
		{patience * limit, patience * stallSamples, forNetwork, true, stalled},
		{patience * limit, patience * stallSamples, forNetwork, false, stalled},
	} {
		w := &watchdog{limit: limit, still: now.Add(-c.still), seen: time.Duration(c.looks) * (limit / stallSamples), warned: c.warned}
		require.Equal(t, c.want, w.verdict(now, c.culprits), "%+v", c)
		require.Equal(t, c.warned || c.want == mayResolve, w.warned)
	}
}

// A goroutine spins that ran in more looks than one limit has, over a limit; it is told once.
func TestVerdictOfALoop(t *testing.T) {
	const limit = time.Second
	for _, c := range []struct {
		looks int
		over  time.Duration
		want  verdict
	}{{stallSamples + 1, limit, spins}, {stallSamples, limit, moves}, {stallSamples + 1, limit - 1, moves}} {
		w := &watchdog{limit: limit, busyLooks: c.looks, busyFor: c.over}
		require.Equal(t, c.want, w.verdict(time.Now(), nil))
		require.Equal(t, moves, w.verdict(time.Now(), nil), "once")
	}
}

// Those that ran in every look are kept; when none is left, it begins anew.
func TestWhoRunsInEveryLook(t *testing.T) {
	running := func(ids ...uint64) (all []stacks.Goroutine) {
		for _, id := range ids {
			all = append(all, stacks.Goroutine{ID: id})
		}
		return all
	}
	begin := time.Unix(1e9, 0)
	w := &watchdog{}
	for i, c := range []struct {
		running, busy []uint64
		looks         int
		over          time.Duration
	}{
		{[]uint64{1, 2}, []uint64{1, 2}, 1, 0},
		{[]uint64{2, 3}, []uint64{2}, 2, time.Second},
		{[]uint64{1, 2, 3}, []uint64{2}, 3, 2 * time.Second},
		{[]uint64{1}, nil, 0, 3 * time.Second},
		{[]uint64{1}, []uint64{1}, 1, 0},
		{nil, nil, 0, time.Second},
	} {
		w.told = true
		w.watchBusy(running(c.running...), begin.Add(time.Duration(i)*time.Second))
		require.ElementsMatch(t, running(c.busy...), w.busy, i)
		require.Equal(t, c.looks, w.busyLooks, i)
		require.Equal(t, c.over, w.busyFor, i)
		require.Equal(t, c.looks > 0, w.told, "a new loop is told anew")
	}
	w.print = 7
	w.lives()
	require.Zero(t, w.print)
	require.Zero(t, w.busyLooks)
}

// Looks are as far apart as lets them take a tenth of the time, and each counts for the time until the next.
func TestLooksBesideMany(t *testing.T) {
	for _, c := range []struct {
		goroutines int
		rest       time.Duration
	}{{1, 250 * time.Millisecond}, {2083, 250 * time.Millisecond}, {2084, 250080 * time.Microsecond}, {1_000_000, 120 * time.Second}} {
		w := watchdog{limit: 5 * time.Second, every: 250 * time.Millisecond}
		require.Equal(t, c.rest, w.rest(c.goroutines))
	}
}

// TestLooksAreDueBesideThoseOfNow: a look is due when it was long enough since the last one for the goroutines that are there
// now. The ticks come a quarter of a second apart.
func TestLooksAreDueBesideThoseOfNow(t *testing.T) {
	const many = 5000 // a look is due 600 ms after the one before
	Run(t, func(q *T) {
		start := time.Now()
		w := watchdog{limit: 5 * time.Second, every: 250 * time.Millisecond, moves: q.clock.Life()}
		look := func(at time.Duration) time.Time { w.sample(q.run, start.Add(at)); return w.last }
		require.Equal(q, start, look(0), "the first")
		require.Equal(q, start, look(249*time.Millisecond-w.every))
		require.Equal(q, start.Add(250*time.Millisecond), look(250*time.Millisecond), "beside few, at the next tick")
		gate := make(chan bool)
		for range many {
			go func() { <-gate }()
		}
		rest := w.rest(runtime.NumGoroutine())
		require.Greater(q, rest, 600*time.Millisecond)
		require.Equal(q, start.Add(250*time.Millisecond), look(rest-time.Millisecond))
		require.Equal(q, start.Add(rest), look(rest), "the ticks come late by less than one")
		close(gate)
	})
}
