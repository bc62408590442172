package lane

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/tb"
)

// shaped is a direction of a connection with an effect, and the stream of its draws.
func shaped(t *testing.T, e Effect) (*clock.Mock, memnet.Shaper, tb.Stream) {
	t.Helper()
	clk, stream := clock.NewMock(), tb.NewStream(1, "lane")
	l := New(clk)
	conn, peer := memnet.Pair(clk, nil, nil)
	t.Cleanup(func() { _ = peer.Close() })
	l.Add(e, stream)
	return clk, l.Shape(conn, 1), stream
}

// A write travels in segments where a bandwidth counts them, in slices where it is cut, and whole otherwise.
func TestSegments(t *testing.T) {
	for _, c := range []struct {
		effect Effect
		n      int           // what is written
		k      int           // what travels first
		first  time.Duration // and when it is there
		second time.Duration // and the same once more
	}{
		{Effect{SlowClose: time.Hour}, 5000, 5000, 0, 0},
		{Effect{Bandwidth: 1460}, 5000, SegmentSize, time.Second, 2 * time.Second},
		{Effect{Bandwidth: 1000}, 500, 500, time.Second / 2, time.Second},
		{Effect{Slice: Slice{Size: 1, Pause: time.Second}}, 5000, 1, 0, time.Second},
		{Effect{Slice: Slice{Size: 100}}, 50, 50, 0, 0},
	} {
		clk, s, _ := shaped(t, c.effect)
		segment := s.Message(c.n).Segment
		for _, want := range []time.Duration{c.first, c.second} {
			k, at := segment(c.n)
			require.Equal(t, c.k, k, "%+v", c.effect)
			require.Equal(t, clk.Now().Add(want), at, "%+v", c.effect)
		}
	}
}

// A write is lost whose draw is less than the chance.
func TestLossAtItsChance(t *testing.T) {
	for _, lost := range []bool{true, false} {
		draw := tb.NewStream(1, "lane").At(1<<32 | 1).Float64()
		if lost {
			draw = math.Nextafter(draw, 1)
		}
		_, s, _ := shaped(t, Effect{Loss: draw})
		m := s.Message(10)
		require.Equal(t, lost, m.Break != nil)
		if lost {
			require.Zero(t, m.Take)
			require.ErrorIs(t, m.Break(), syscall.ECONNRESET)
		}
	}
}

// A write that reaches a limit passes whole, one that goes beyond is cut, and behind it nothing passes.
func TestLimitAtItsEnd(t *testing.T) {
	for n, want := range map[int]error{10: nil, 11: syscall.EPIPE} {
		_, s, _ := shaped(t, Effect{LimitData: 10})
		m := s.Message(n)
		require.Equal(t, 10, m.Take)
		require.ErrorIs(t, m.Break(), want)
		for range 2 {
			m = s.Message(3)
			require.Zero(t, m.Take)
			require.ErrorIs(t, m.Break(), syscall.EPIPE)
		}
	}
}

func TestSlicesVaryOnBothSides(t *testing.T) {
	seen, stream := map[int]bool{}, tb.NewStream(1, "lane")
	for i := range uint64(500) {
		seen[Slice{Size: 5, Vary: 2}.draw(stream, 1, i)] = true
	}
	require.Equal(t, map[int]bool{3: true, 4: true, 5: true, 6: true, 7: true}, seen)
}
