package memnet

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

// TestTransitKeepsTheOrder: what is written later arrives no earlier, whatever the shaper says, and so does the end.
func TestTransitKeepsTheOrder(t *testing.T) {
	clk := clock.NewMock()
	start := clk.Now()
	in := func(d time.Duration) Message {
		return Message{Segment: func(n int) (int, time.Time) { return min(n, 4), start.Add(d) }}
	}
	var r ring
	var tr transit
	require.Zero(t, tr.next(false))
	require.Equal(t, 6, tr.send(&r, []byte("abcdef"), in(2*time.Second)), "in two segments")
	require.Equal(t, 2, tr.send(&r, []byte("gh"), in(time.Second)), "overtakes nothing")
	require.Equal(t, 1, tr.send(&r, []byte("i"), Message{}), "no shaper any more: overtakes nothing either")
	tr.end(clk, time.Second)
	require.Equal(t, start.Add(2*time.Second), tr.endAt)

	clk.Add(time.Second)
	tr.arrive(clk)
	require.Equal(t, []int{9, 9}, []int{tr.bytes, r.n})
	require.Equal(t, start.Add(2*time.Second), tr.next(true))
	require.False(t, tr.ended(clk))
	clk.Add(time.Second)
	tr.arrive(clk)
	require.Zero(t, tr.bytes)
	require.True(t, tr.ended(clk))
}

// TestTransitEndsLater: an end may arrive behind the last byte, and is then what a read waits for.
func TestTransitEndsLater(t *testing.T) {
	clk := clock.NewMock()
	var tr transit
	require.True(t, tr.ended(clk), "nothing holds an end up")
	tr.end(clk, time.Second)
	require.Zero(t, tr.next(false), "nobody has ended it")
	require.Equal(t, clk.Now().Add(time.Second), tr.next(true))
	require.False(t, tr.ended(clk))
	clk.Add(time.Second)
	require.True(t, tr.ended(clk))
}

// TestTransitLeavesWhatHasNoRoom: a write goes on later with what the ring cannot hold.
func TestTransitLeavesWhatHasNoRoom(t *testing.T) {
	var r ring
	var tr transit
	require.Equal(t, Buffer, tr.send(&r, make([]byte, Buffer+5), Message{}))
	require.Equal(t, Buffer, tr.bytes)
	r.drop()
	tr.drop()
	require.Zero(t, tr.bytes)
}

// TestTransitFillsTheRoomLeft: what is on its way and what has arrived share the room.
func TestTransitFillsTheRoomLeft(t *testing.T) {
	var r ring
	var tr transit
	require.Equal(t, 10, r.push(make([]byte, 10)))
	require.Equal(t, Buffer-10, tr.send(&r, make([]byte, Buffer), Message{}))
	require.Equal(t, []int{Buffer, Buffer - 10}, []int{r.n, tr.bytes})
	require.Zero(t, tr.send(&r, []byte("x"), Message{}))
}
