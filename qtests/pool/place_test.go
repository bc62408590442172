package pool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

func poolOn(t *testing.T, clk clock.Clock) *Pool[int] {
	p, err := New(Config[int]{Max: 1, Clock: clk, New: func(context.Context) (int, error) { return 1, nil }})
	require.NoError(t, err)
	return p
}

// Package time tells whether the caller is in a bubble. A clock that is stepped by hand does not.
func TestHere(t *testing.T) {
	mock := clock.NewMock()
	mock.Add(time.Hour)
	ours, stepped := poolOn(t, clock.New()), poolOn(t, mock)
	mock.Add(time.Hour)
	now, outside := ours.engine.here()
	require.Positive(t, now)
	require.True(t, outside)
	now, outside = stepped.engine.here()
	require.Equal(t, time.Hour+1, now)
	require.False(t, outside)
	synctest.Test(t, func(t *testing.T) {
		_, outside := ours.engine.here()
		require.False(t, outside)
		inside := poolOn(t, clock.New())
		time.Sleep(time.Minute)
		now, outside := inside.engine.here()
		require.Equal(t, time.Minute+1, now)
		require.False(t, outside)
	})
	qtests.Run(t, func(q *qtests.T) {
		_, outside := poolOn(t, q.Clock()).engine.here()
		require.False(t, outside)
	})
}

// Outside of bubbles a channel is used again. In a bubble each wait has a new one.
func TestPlacesOfOneBubble(t *testing.T) {
	type channels map[chan struct{}]bool
	take := func(outside bool) channels {
		all := channels{}
		for range 100 { // a sync.Pool forgets now and then, and under the race detector often
			w := newPlace(outside)
			all[w.ch] = true
			w.recycle()
		}
		return all
	}
	before := take(true)
	require.Less(t, len(before), 100)
	var inside channels
	synctest.Test(t, func(*testing.T) { inside = take(false) })
	require.Len(t, inside, 100)
	for _, outside := range []channels{before, take(true)} {
		for ch := range outside {
			require.False(t, inside[ch])
		}
	}
}

// The time of a bubble goes on while a goroutine of it waits in a queue.
func TestQueueOfAPlainBubble(t *testing.T) {
	queue := func(hold time.Duration) time.Duration {
		p := poolOn(t, clock.New())
		held, err := p.Acquire(bg)
		require.NoError(t, err)
		start := time.Now()
		go func() { time.Sleep(hold); held.Release() }()
		l, err := p.Acquire(bg)
		require.NoError(t, err)
		l.Release()
		return time.Since(start)
	}
	queue(time.Millisecond)
	synctest.Test(t, func(*testing.T) { require.Equal(t, time.Hour, queue(time.Hour)) })
	queue(time.Millisecond)
}
