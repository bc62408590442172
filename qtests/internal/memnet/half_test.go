package memnet

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

// slow lets what is written take a while, and the end another.
type slow struct {
	clk        clock.Clock
	bytes, end time.Duration
}

func (s slow) Message(int) Message {
	at := s.clk.Now().Add(s.bytes)
	return Message{Segment: func(n int) (int, time.Time) { return n, at }}
}

func (s slow) End() time.Duration { return s.end }

// breaks breaks a write off behind two bytes.
type breaks struct{ broken func() error }

func (b breaks) Message(int) Message { return Message{Take: 2, Break: b.broken} }
func (b breaks) End() time.Duration  { return 0 }

// readAll reads to the end of a half, whatever that is.
func readAll(h *Half) (text string, end error) {
	for {
		p := make([]byte, 100)
		n, err := h.Read(p)
		if text += string(p[:n]); err != nil {
			return text, err
		}
	}
}

func mustWrite(t *testing.T, h *Half, text string) {
	t.Helper()
	n, err := h.Write([]byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

// TestReadWaitsForWhatIsOnItsWay: bytes are read when they arrive, and the end when it does.
func TestReadWaitsForWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		h, begin := NewHalf(clk), clk.Now()
		h.Shape(slow{clk, 2 * time.Second, 3 * time.Second})
		mustWrite(t, h, "hello")
		h.EndWrites(syscall.EPIPE, io.EOF)
		p := make([]byte, 3)
		for _, want := range []string{"hel", "lo"} {
			n, err := h.Read(p)
			require.NoError(t, err)
			require.Equal(t, want, string(p[:n]))
			require.Equal(t, 2*time.Second, clk.Since(begin))
		}
		_, err := h.Read(p)
		require.Equal(t, io.EOF, err)
		require.Equal(t, 3*time.Second, clk.Since(begin))
	})
}

// TestReadWaitsWhileHeld: what is held arrives when nobody holds it any more, and the end behind it.
func TestReadWaitsWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.New()
		h, begin := NewHalf(clk), clk.Now()
		h.Hold(Cut, true)
		h.Hold(Stalled, true)
		mustWrite(t, h, "hello")
		h.EndWrites(syscall.EPIPE, io.EOF)
		clk.AfterFunc(time.Hour, func() { h.Hold(Cut, false) })
		clk.AfterFunc(2*time.Hour, func() { h.Hold(Stalled, false) })
		text, end := readAll(h)
		require.Equal(t, "hello", text)
		require.Equal(t, io.EOF, end)
		require.Equal(t, 2*time.Hour, clk.Since(begin))
	})
}

// TestWriteIntoAWaitingRead: a write goes straight into the first read that waits, and leaves the second alone.
func TestWriteIntoAWaitingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHalf(clock.New())
		got := make(chan string, 2)
		read := func(size int) {
			p := make([]byte, size)
			n, err := h.Read(p)
			require.NoError(t, err)
			got <- string(p[:n])
		}
		go read(10)
		synctest.Wait()
		go read(20)
		synctest.Wait()
		require.Len(t, h.lent, 10)
		mustWrite(t, h, "first")
		require.Zero(t, h.unread, "no buffer in between")
		require.Equal(t, "first", <-got)
		synctest.Wait()
		require.Empty(t, got)
		mustWrite(t, h, "second")
		require.Equal(t, "second", <-got)
		require.Nil(t, h.lent)
	})
}

// TestWriteIsBrokenOff: a write that breaks carries what the shaper takes, and fails as that says; one that fails before that
// does not break.
func TestWriteIsBrokenOff(t *testing.T) {
	h, broken, times := NewHalf(clock.New()), errors.New("broken"), 0
	h.Shape(breaks{func() error { times++; return broken }})
	n, err := h.Write([]byte("hello"))
	require.Equal(t, 2, n)
	require.Equal(t, broken, err)
	require.Equal(t, 1, times)
	h.EndWrites(syscall.EPIPE, io.EOF)
	n, err = h.Write([]byte("hello"))
	require.Zero(t, n)
	require.Equal(t, syscall.EPIPE, err)
	require.Equal(t, 1, times)
	text, end := readAll(h)
	require.Equal(t, "he", text)
	require.Equal(t, io.EOF, end)
}

// TestSeveredHalf says what a read finds of a half that is severed in the middle, and how a write fails.
func TestSeveredHalf(t *testing.T) {
	readErr, writeErr, closed := errors.New("read"), errors.New("write"), errors.New("closed")
	for _, c := range []struct {
		name       string
		before     func(t *testing.T, h *Half)
		text       string
		read, fail error
	}{
		{"nothing sent", func(*testing.T, *Half) {}, "", readErr, writeErr},
		{"some has arrived", func(t *testing.T, h *Half) { mustWrite(t, h, "abc") }, "abc", readErr, writeErr},
		{"some is on its way", func(t *testing.T, h *Half) {
			mustWrite(t, h, "abc")
			h.Shape(slow{h.clk, time.Second, 0})
			mustWrite(t, h, "def")
		}, "abc", readErr, writeErr},
		{"all is held", func(t *testing.T, h *Half) {
			h.Hold(Cut, true)
			mustWrite(t, h, "abc")
		}, "", readErr, writeErr},
		{"the end has arrived", func(t *testing.T, h *Half) {
			mustWrite(t, h, "abc")
			h.EndWrites(closed, io.EOF)
		}, "abc", io.EOF, closed},
		{"the end is on its way", func(t *testing.T, h *Half) {
			mustWrite(t, h, "abc")
			h.Shape(slow{h.clk, 0, time.Second})
			h.EndWrites(closed, io.EOF)
		}, "abc", readErr, closed},
		{"the end is held", func(t *testing.T, h *Half) {
			h.Hold(Cut, true)
			h.EndWrites(closed, io.EOF)
		}, "", readErr, closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clk := clock.New()
				h, begin := NewHalf(clk), clk.Now()
				c.before(t, h)
				h.sever(readErr, writeErr)
				h.wake()
				h.Hold(Stalled, true) // nothing of it is held any more
				_, err := h.Write([]byte("x"))
				require.Equal(t, c.fail, err)
				h.Hold(Stalled, false)
				text, end := readAll(h)
				require.Equal(t, c.text, text)
				require.Equal(t, c.read, end)
				require.Zero(t, clk.Since(begin))
				require.Nil(t, h.unread.buf)
			})
		})
	}
}

// TestSeveredHalfHoldsNoBuffer: where nothing has arrived, nothing is kept for a read that may never come.
func TestSeveredHalfHoldsNoBuffer(t *testing.T) {
	h := NewHalf(clock.New())
	h.Hold(Gone, true)
	mustWrite(t, h, "abc")
	h.sever(io.ErrUnexpectedEOF, syscall.EPIPE)
	require.Zero(t, h.unread)
}

// TestHeldHalfOfNoReader: who writes does not notice that the reader has gone while the half is held. Then what was written is
// dropped, and writes fail.
func TestHeldHalfOfNoReader(t *testing.T) {
	h := NewHalf(clock.New())
	h.Hold(Cut, true)
	h.Hold(Gone, true)
	h.EndReads(time.Time{})
	mustWrite(t, h, "abc")
	h.Hold(Cut, false)
	require.Equal(t, 3, h.unread.n, "held by the other")
	h.Hold(Gone, false)
	require.Zero(t, h.unread)
	_, err := h.Write([]byte("x"))
	require.Equal(t, syscall.EPIPE, err)
}
