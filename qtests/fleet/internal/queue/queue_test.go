package queue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestCPU(t *testing.T) {
	const s = time.Second
	c := NewCPU(2)
	for n, x := range []struct{ at, need, through, used time.Duration }{
		{0, 3 * s, 3 * s, 0},
		{0, s, s, 0},
		{0, 2 * s, 3 * s, 0},       // after the second, on the same processor
		{2 * s, s, 4 * s, 4 * s},   // both are busy until 3 s
		{10 * s, s, 11 * s, 7 * s}, // none is busy
		{10500 * time.Millisecond, 0, 10500 * time.Millisecond, 7500 * time.Millisecond}, // the other is free
	} {
		now := start.Add(x.at)
		require.Equal(t, x.used, c.Used(now), "request %d", n)
		require.Equal(t, start.Add(x.through), c.Take(now, x.need), "request %d", n)
	}
	require.Equal(t, 8*s, c.Used(start.Add(time.Minute)))
}

func TestSlots(t *testing.T) {
	s := NewSlots(1, 2)
	enter := func() Place {
		wait, full := s.Enter()
		require.False(t, full)
		return wait
	}
	require.Nil(t, enter())
	one, two := enter(), enter()
	_, full := s.Enter()
	require.True(t, full)
	require.True(t, s.Quit(one))
	require.False(t, s.Quit(one), "it has left")
	three := enter()
	require.Equal(t, two, s.Leave())
	require.False(t, s.Quit(two), "it has the slot")
	require.Equal(t, three, s.Leave())
	require.Nil(t, s.Leave())
	require.Nil(t, enter(), "the slot is free")
}

func TestSlotsWithoutLimit(t *testing.T) {
	s := NewSlots(0, 0)
	for range 1000 {
		wait, full := s.Enter()
		require.True(t, wait == nil && !full)
	}
	require.Nil(t, s.Leave())
}
