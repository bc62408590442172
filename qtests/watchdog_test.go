package qtests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

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
