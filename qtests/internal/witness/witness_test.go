package witness

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

func TestDatesAreThoseOfThePlace(t *testing.T) {
	const s = time.Second
	here, there := stacks.Goroutine{Stack: "here"}, stacks.Goroutine{Stack: "there"}
	here.ID, there.ID = 7, 7
	var w Witness
	w.Begin(7, Start{"a.go:1", s})
	for i, g := range []stacks.Goroutine{there, here, here} {
		w.Look(-1, func() time.Duration { return time.Duration(i+2) * s }, func() []stacks.Goroutine { return []stacks.Goroutine{g} })
		w.pauses = witnessGoroutines // so that the next pause is looked at
	}
	started, waited := w.Date(10*s, here)
	require.Equal(t, "a.go:1 after 1s", started)
	require.Equal(t, "waiting there for 7s to 9s of fake time", waited, "since the second look, and no longer than since its start")
	_, waited = w.Date(10*s, there)
	require.Equal(t, "waiting there for 0s to 9s of fake time", waited)
	w.End(7)
	_, waited = w.Date(10*s, here)
	require.Equal(t, "waiting there for 7s to 10s of fake time", waited)
}

// It looks at every pause at first, and seldom where there are many goroutines, or have been many looks.
func TestWhenAWitnessLooks(t *testing.T) {
	looks := func(w *Witness, total, pauses int) (n int) {
		for range pauses {
			if w.due(total) {
				n++
			}
		}
		return n
	}
	var w Witness
	for stride := 1; stride <= 8; stride *= 2 {
		require.Equal(t, witnessLooks, looks(&w, 1, stride*witnessLooks), stride)
	}
	for total, pauses := range map[int]int{1: 1, 63: 1, 64: 2, 127: 2, 128: 3, witnessGoroutines: 32} {
		w = Witness{}
		require.Zero(t, looks(&w, total, pauses-1), total)
		require.Equal(t, 1, looks(&w, total, 1), total)
		require.Zero(t, looks(&w, total, pauses-1), total)
		require.Equal(t, 1, looks(&w, total, 1), total)
	}
	w = Witness{}
	require.Zero(t, looks(&w, witnessGoroutines+1, 1000))
	w = Witness{}
	w.Look(runtime.NumGoroutine()+100, nil, nil) // no goroutine of the bubble is left: there is nothing to list
	require.Nil(t, w.seen)
}
