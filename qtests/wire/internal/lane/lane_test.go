package lane

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
)

func TestPacerLetsBytesPassAtItsRate(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	p := &pacer{rate: 3}
	require.Equal(t, start.Add(333_333_334), p.pass(start, 1), "rounded up")
	require.Equal(t, start.Add(time.Second), p.pass(start, 2), "the remainders do not add up")
	require.Equal(t, start.Add(3*time.Second), p.pass(start.Add(time.Second), 6), "no pause: it goes on")
	after := start.Add(time.Hour)
	require.Equal(t, after.Add(time.Second), p.pass(after, 3), "what was idle is lost")
	huge := &pacer{rate: 1}
	require.Equal(t, start.Add(1e9*time.Second), huge.pass(start, 1e9), "no overflow on the way")
}

func TestSlicesAreAtLeastOneByte(t *testing.T) {
	stream := tb.NewStream(1, "lane")
	require.Equal(t, 5, Slice{Size: 5}.draw(stream, 1, 1))
	seen := map[int]bool{}
	for i := range uint64(200) {
		seen[Slice{Size: 2, Vary: 1}.draw(stream, 1, i)] = true
	}
	require.Equal(t, map[int]bool{1: true, 2: true, 3: true}, seen)
}

// TestEffectsComeAndGo: a lane without effects asks nothing of a write, and those that are removed leave the others.
func TestEffectsComeAndGo(t *testing.T) {
	l := New(clock.NewMock())
	conn, _ := memnet.Pair(clock.NewMock(), nil, nil)
	s := l.Shape(conn, 1)
	require.Zero(t, l.Delay(1))
	require.Nil(t, s.Message(10).Segment)
	stream := tb.NewStream(1, "lane")
	late := func(d time.Duration) Effect { return Effect{Latency: latency.Fixed(d)} }
	first := l.Add(late(time.Second), stream)
	second := l.Add(late(time.Minute), stream)
	require.Equal(t, 61*time.Second, l.Delay(1))
	require.Equal(t, 61*time.Second, s.End())
	first()
	first()
	require.Equal(t, time.Minute, l.Delay(1))
	second()
	require.Zero(t, l.Delay(1))
	require.Zero(t, s.End())
}

func TestLimitCutsTheWriteThatReachesIt(t *testing.T) {
	l := New(clock.NewMock())
	conn, peer := memnet.Pair(clock.NewMock(), nil, nil)
	defer func() { _ = peer.Close() }()
	l.Add(Effect{LimitData: 10}, tb.NewStream(1, "lane"))
	s := l.Shape(conn, 1)
	require.Nil(t, s.Message(9).Break)
	m := s.Message(4)
	require.NotNil(t, m.Break)
	require.Equal(t, 1, m.Take)
	other := l.Shape(conn, 2)
	require.Equal(t, 10, other.Message(10).Take, "each connection has its own")
}
