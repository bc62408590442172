package witness

import (
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
