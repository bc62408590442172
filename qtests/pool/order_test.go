package pool

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// The order of last use holds in a pool that never reads the clock, too.
func TestIdleOrderNeedsNoClock(t *testing.T) {
	for _, c := range []struct {
		fifo bool
		want []int
	}{{true, []int{1, 2, 3, 1, 2, 3}}, {false, []int{3, 3, 3, 3, 3, 3}}} {
		t.Run(fmt.Sprint("FIFO ", c.fifo), func(t *testing.T) {
			n := 0
			p, err := New(Config[int]{Max: 3, IdleFIFO: c.fifo, New: func(context.Context) (int, error) { n++; return n, nil }})
			require.NoError(t, err)
			defer func() { require.NoError(t, p.Close(bg)) }()
			require.False(t, p.engine.timed)
			var all []Lease[int]
			for range 3 {
				l, err := p.Acquire(bg)
				require.NoError(t, err)
				all = append(all, l)
			}
			releaseInts(all)
			var got []int
			for range 6 {
				l, err := p.Acquire(bg)
				require.NoError(t, err)
				got = append(got, l.Value())
				l.Release()
			}
			require.Equal(t, c.want, got)

			used := got[5]
			require.NoError(t, p.Resize(0, 1))
			l, err := p.TryAcquire()
			require.NoError(t, err)
			require.Equal(t, used, l.Value(), "the one that was used last stays")
			l.Release()
		})
	}
}

func releaseInts(leases []Lease[int]) {
	for _, l := range leases {
		l.Release()
	}
}

// One that goes back unused keeps its place in the order.
func TestUnusedKeepsItsPlaceWithoutAClock(t *testing.T) {
	n := 0
	p, err := New(Config[int]{Max: 3, IdleFIFO: true, New: func(context.Context) (int, error) { n++; return n, nil }})
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close(bg)) }()
	var all []Lease[int]
	for range 3 {
		l, err := p.Acquire(bg)
		require.NoError(t, err)
		all = append(all, l)
	}
	releaseInts(all)
	for range 5 {
		l, err := p.Acquire(bg)
		require.NoError(t, err)
		require.Equal(t, 1, l.Value())
		l.ReleaseUnused()
	}
}

// A New that fails is not called for ever at one instant, where no caller waits.
func TestRefillPausesWithoutBackoff(t *testing.T) {
	for name, change := range map[string]func(*Config[*item]){
		"Min":     func(c *Config[*item]) { c.Min = 2 },
		"MinIdle": func(c *Config[*item]) { c.MinIdle = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				calls, up := 0, false
				cfg := Config[*item]{NoBackoff: true, Clock: q.Clock(), New: func(context.Context) (*item, error) {
					if calls++; !up {
						return nil, errRefused
					}
					return &item{}, nil
				}}
				change(&cfg)
				p, err := New(cfg)
				require.NoError(q, err)
				defer func() { require.NoError(q, p.Close(bg)) }()
				q.Sleep(DefaultBackoff - time.Millisecond)
				require.Equal(q, 2, calls)
				q.Sleep(time.Minute)
				require.Less(q, calls, 40, "with the default back-off: 100 ms, doubled up to 10 s")
				require.Greater(q, calls, 10)
				before := calls
				for range 3 { // a caller has an attempt at once
					_, err := p.Acquire(bg)
					require.ErrorIs(q, err, errRefused)
				}
				require.Equal(q, before+3, calls)
				up = true
				q.Sleep(DefaultMaxBackoff)
				require.Equal(q, 2, p.Stats().Idle)
			})
		})
	}
}
