package qtests

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
)

// past is a deadline that lies behind every clock.
var past = time.Unix(1, 0)

// TestConn is a conformance test of net.Conn: each case gets the two ends of a
// fresh connection, closed when it ends.
func TestConn(t *testing.T) {
	for _, c := range []struct {
		name string
		test func(q *T, a, b net.Conn)
	}{
		{"carries bytes both ways", connCarries},
		{"takes part of a long message", connPartial},
		{"hands over before it buffers", connOrder},
		{"a deadline in the past fails at once", connPast},
		{"a deadline in the past wakes", connPastWakes},
		{"a deadline in the future", connFuture},
		{"a deadline moved while waiting", connMoved},
		{"a deadline cleared", connCleared},
		{"a deadline leaves data alone", connDeadlineKeepsData},
		{"a write fails with what fitted", connWriteTimeout},
		{"closing wakes its own end", connCloseWakesOwn},
		{"closing wakes the other end", connCloseWakesPeer},
		{"closing keeps what was sent", connCloseKeepsData},
		{"half-closed", connHalfClosed},
		{"after closing", connAfterClose},
		{"nothing to read or write", connEmpty},
		{"concurrent methods", connConcurrent},
		{"racing deadlines", connRacing},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(q *T) {
				a, b := memnet.Pair(q.Clock(), Addr("a"), Addr("b"))
				defer func() { require.NoError(q, errors.Join(a.Close(), b.Close())) }()
				c.test(q, a, b)
			})
		})
	}
}

func connCarries(q *T, a, b net.Conn) {
	require.Equal(q, "memory", a.LocalAddr().Network())
	require.Equal(q, []string{"a", "b", "b", "a"}, []string{a.LocalAddr().String(), a.RemoteAddr().String(),
		b.LocalAddr().String(), b.RemoteAddr().String()})
	const size = 4 << 20
	send := func(c net.Conn, name string) (sum [sha256.Size]byte) {
		data := make([]byte, size)
		r := q.Rand(name)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		sum = sha256.Sum256(data)
		q.Go(func() {
			for len(data) > 0 {
				n := min(len(data), r.IntN(3*memnet.Buffer))
				if _, err := c.Write(data[:n]); err != nil {
					q.Errorf("%s: %v", name, err)
					return
				}
				data = data[n:]
			}
		})
		return sum
	}
	receive := func(c net.Conn, name string, want [sha256.Size]byte) func() {
		return func() {
			h, r := sha256.New(), q.Rand(name+" reads")
			for n := 0; n < size; {
				p := make([]byte, r.IntN(2*memnet.Buffer))
				k, err := c.Read(p)
				if err != nil {
					q.Errorf("%s: %v", name, err)
					return
				}
				n += k
				_, _ = h.Write(p[:k])
			}
			if !bytes.Equal(h.Sum(nil), want[:]) {
				q.Errorf("%s: other bytes than were sent", name)
			}
		}
	}
	up, down := send(a, "up"), send(b, "down")
	var wg sync.WaitGroup
	wg.Go(receive(b, "up", up))
	wg.Go(receive(a, "down", down))
	wg.Wait()
}

func connPartial(q *T, a, b net.Conn) {
	mustWrite(q, a, "hello, world")
	require.Equal(q, "hello", mustRead(q, b, 5))
	require.Equal(q, ", world", mustRead(q, b, 100))
}

func connOrder(q *T, a, b net.Conn) {
	got := make(chan string)
	q.Go(func() { got <- mustRead(q, b, 4) })
	q.Wait()
	// All of it before the reader runs: two writes into its buffer, the rest kept.
	mustWrite(q, a, "abc")
	mustWrite(q, a, "def")
	mustWrite(q, a, "ghi")
	first := <-got
	require.NotEmpty(q, first)
	require.LessOrEqual(q, len(first), 4)
	rest := ""
	for len(first)+len(rest) < 9 {
		rest += mustRead(q, b, 100)
	}
	require.Equal(q, "abcdefghi", first+rest)
}

func connPast(q *T, a, b net.Conn) {
	mustWrite(q, b, "data that a deadline hides")
	require.NoError(q, a.SetDeadline(past))
	for range 3 { // it stays
		_, err := a.Read(make([]byte, 1))
		requireTimeout(q, err)
		n, err := a.Write([]byte("x"))
		requireTimeout(q, err)
		require.Zero(q, n)
	}
	require.NoError(q, a.SetDeadline(q.Clock().Now()))
	_, err := a.Read(make([]byte, 1))
	requireTimeout(q, err)
	require.Zero(q, q.Elapsed())
	require.NoError(q, a.SetReadDeadline(time.Time{}))
	require.Equal(q, "data", mustRead(q, a, 4))
}

func connPastWakes(q *T, a, _ net.Conn) {
	read, wrote := make(chan error, 1), make(chan error, 1)
	q.Go(func() { _, err := a.Read(make([]byte, 1)); read <- err })
	q.Go(func() { _, err := a.Write(make([]byte, 2*memnet.Buffer)); wrote <- err })
	q.Sleep(time.Hour)
	require.NoError(q, a.SetReadDeadline(past))
	requireTimeout(q, <-read)
	q.Wait()
	require.Empty(q, wrote, "the other direction goes on")
	require.NoError(q, a.SetWriteDeadline(past))
	requireTimeout(q, <-wrote)
}

func connFuture(q *T, a, b net.Conn) {
	require.NoError(q, a.SetReadDeadline(q.Clock().Now().Add(time.Second)))
	_, err := a.Read(make([]byte, 1))
	requireTimeout(q, err)
	require.Equal(q, time.Second, q.Elapsed())

	// A deadline far away that many reads wait under, and meet in the end.
	require.NoError(q, a.SetReadDeadline(q.Clock().Now().Add(time.Minute)))
	q.Go(func() {
		for range 59 {
			q.Clock().Sleep(time.Second)
			mustWrite(q, b, "x")
		}
	})
	for range 59 {
		require.Equal(q, "x", mustRead(q, a, 10))
	}
	_, err = a.Read(make([]byte, 1))
	requireTimeout(q, err)
	require.Equal(q, time.Minute+time.Second, q.Elapsed())
}

func connMoved(q *T, a, _ net.Conn) {
	for _, move := range []struct{ first, then, want time.Duration }{
		{time.Second, time.Minute, time.Minute},
		{time.Minute, 2 * time.Second, 2 * time.Second},
	} {
		start := q.Clock().Now()
		require.NoError(q, a.SetReadDeadline(start.Add(move.first)))
		failed := make(chan error)
		q.Go(func() { _, err := a.Read(make([]byte, 1)); failed <- err })
		q.Sleep(time.Second / 2)
		require.NoError(q, a.SetReadDeadline(start.Add(move.then)))
		requireTimeout(q, <-failed)
		require.Equal(q, move.want, q.Clock().Since(start))
	}
}

func connCleared(q *T, a, b net.Conn) {
	require.NoError(q, a.SetReadDeadline(q.Clock().Now().Add(time.Second)))
	got := make(chan string)
	q.Go(func() { got <- mustRead(q, a, 10) })
	q.Sleep(time.Second / 2)
	require.NoError(q, a.SetReadDeadline(time.Time{}))
	q.Sleep(time.Hour)
	mustWrite(q, b, "late")
	require.Equal(q, "late", <-got)
}

func connDeadlineKeepsData(q *T, a, b net.Conn) {
	mustWrite(q, a, "kept")
	require.NoError(q, b.SetReadDeadline(q.Clock().Now().Add(time.Second)))
	q.Sleep(2 * time.Second)
	_, err := b.Read(make([]byte, 10))
	requireTimeout(q, err)
	require.NoError(q, b.SetReadDeadline(time.Time{}))
	require.Equal(q, "kept", mustRead(q, b, 10))
}

func connWriteTimeout(q *T, a, b net.Conn) {
	require.NoError(q, a.SetWriteDeadline(q.Clock().Now().Add(time.Second)))
	n, err := a.Write(make([]byte, memnet.Buffer+1))
	requireTimeout(q, err)
	require.Equal(q, memnet.Buffer, n)
	require.Equal(q, time.Second, q.Elapsed())

	// Room made by the reader lets a blocked write go on.
	require.NoError(q, a.SetWriteDeadline(time.Time{}))
	wrote := make(chan int, 1)
	q.Go(func() { n, _ := a.Write(make([]byte, 100)); wrote <- n })
	q.Wait()
	require.Empty(q, wrote)
	mustRead(q, b, 99)
	q.Wait()
	require.Empty(q, wrote)
	mustRead(q, b, 1)
	require.Equal(q, 100, <-wrote)
}

func connCloseWakesOwn(q *T, a, _ net.Conn) {
	require.NoError(q, a.SetDeadline(q.Clock().Now().Add(time.Hour)))
	read, wrote := make(chan error), make(chan error)
	q.Go(func() { _, err := a.Read(make([]byte, 1)); read <- err })
	q.Go(func() { _, err := a.Write(make([]byte, 2*memnet.Buffer)); wrote <- err })
	q.Wait()
	require.Equal(q, 2, q.clock.Pending())
	require.NoError(q, a.Close())
	require.ErrorIs(q, <-read, net.ErrClosed)
	require.ErrorIs(q, <-wrote, net.ErrClosed)
	require.Zero(q, q.clock.Pending(), "a closed connection keeps no timer")
}

func connCloseWakesPeer(q *T, a, b net.Conn) {
	read, wrote := make(chan error), make(chan error)
	q.Go(func() { _, err := b.Read(make([]byte, 1)); read <- err })
	q.Go(func() { _, err := b.Write(make([]byte, 2*memnet.Buffer)); wrote <- err })
	q.Wait()
	require.NoError(q, a.Close())
	require.Equal(q, io.EOF, <-read)
	require.ErrorIs(q, <-wrote, syscall.EPIPE)
}

func connCloseKeepsData(q *T, a, b net.Conn) {
	mustWrite(q, a, "last words")
	require.NoError(q, a.Close())
	require.Equal(q, "last words", mustRead(q, b, 100))
	_, err := b.Read(make([]byte, 1))
	require.Equal(q, io.EOF, err)
}

func connHalfClosed(q *T, a, b net.Conn) {
	type halfCloser interface{ CloseWrite() error }
	mustWrite(q, a, "request")
	require.NoError(q, a.(halfCloser).CloseWrite())
	all, err := io.ReadAll(b)
	require.NoError(q, err)
	require.Equal(q, "request", string(all))
	_, err = a.Write([]byte("more"))
	require.ErrorIs(q, err, syscall.EPIPE)
	mustWrite(q, b, "answer")
	require.Equal(q, "answer", mustRead(q, a, 100))
	require.NoError(q, a.Close())
	_, err = a.Write([]byte("more"))
	require.ErrorIs(q, err, net.ErrClosed)
	require.ErrorIs(q, a.(halfCloser).CloseWrite(), net.ErrClosed)
}

func connAfterClose(q *T, a, b net.Conn) {
	require.NoError(q, a.SetDeadline(q.Clock().Now().Add(time.Hour)))
	mustWrite(q, b, "never read")
	require.NoError(q, a.Close())
	require.NoError(q, a.Close(), "closing twice")
	_, err := a.Read(make([]byte, 1))
	require.ErrorIs(q, err, net.ErrClosed)
	var op *net.OpError
	require.ErrorAs(q, err, &op)
	require.Equal(q, "read memory a->b: use of closed network connection", err.Error())
	_, err = a.Write([]byte("x"))
	require.ErrorIs(q, err, net.ErrClosed)
	for _, set := range []func(time.Time) error{a.SetDeadline, a.SetReadDeadline, a.SetWriteDeadline} {
		require.ErrorIs(q, set(q.Clock().Now().Add(time.Hour)), net.ErrClosed)
	}
	_, err = b.Write([]byte("x"))
	require.ErrorIs(q, err, syscall.EPIPE)
	require.Zero(q, q.clock.Pending(), "a closed connection keeps no timer")
}

func connEmpty(q *T, a, b net.Conn) {
	n, err := a.Write(nil)
	require.NoError(q, err)
	require.Zero(q, n)
	n, err = b.Read(nil)
	require.NoError(q, err)
	require.Zero(q, n)
	require.NoError(q, b.SetReadDeadline(past))
	_, err = b.Read(nil)
	requireTimeout(q, err)
}

func connConcurrent(q *T, a, b net.Conn) {
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { _ = a.SetReadDeadline(q.Clock().Now().Add(time.Millisecond)) })
		wg.Go(func() { _, _ = a.Read(make([]byte, 1024)) })
		wg.Go(func() { _ = a.SetWriteDeadline(q.Clock().Now().Add(time.Millisecond)) })
		wg.Go(func() { _, _ = a.Write(make([]byte, 10_000)) })
		wg.Go(func() { _, _ = b.Write(make([]byte, 100)) })
		wg.Go(func() { _, _ = a.LocalAddr(), a.RemoteAddr() })
	}
	wg.Wait()
}

// connRacing has many readers and writers fight for one connection under
// deadlines that expire all the time. No byte is lost or doubled.
func connRacing(q *T, a, b net.Conn) {
	var mu sync.Mutex
	var sent, received int
	var writers, readers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			r := q.Stream("write").At(uint64(i))
			for range 100 * stress.Factor(q) {
				_ = a.SetWriteDeadline(q.Clock().Now().Add(time.Duration(r.IntN(3)) * time.Millisecond))
				n, err := a.Write(make([]byte, r.IntN(memnet.Buffer)))
				mu.Lock()
				sent += n
				mu.Unlock()
				if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					q.Errorf("write: %v", err)
				}
			}
		})
		readers.Go(func() {
			r := q.Stream("read").At(uint64(i))
			for {
				_ = b.SetReadDeadline(q.Clock().Now().Add(time.Duration(r.IntN(3)) * time.Millisecond))
				n, err := b.Read(make([]byte, 1+r.IntN(memnet.Buffer)))
				mu.Lock()
				received += n
				mu.Unlock()
				if err == io.EOF {
					return
				}
				if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					q.Errorf("read: %v", err)
					return
				}
				q.Clock().Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
			}
		})
	}
	writers.Wait()
	_ = a.Close()
	readers.Wait()
	require.Equal(q, sent, received)
	require.NotZero(q, sent)
}

// TestConnOnSteppedClock holds a deadline on a clock that a test moves by hand.
func TestConnOnSteppedClock(t *testing.T) {
	mock := clock.NewMock()
	a, b := memnet.Pair(mock, Addr("a"), Addr("b"))
	require.NoError(t, a.SetReadDeadline(mock.Now().Add(time.Second)))
	mustWrite(t, b, "x")
	require.Equal(t, "x", mustRead(t, a, 1))
	mock.Add(time.Second)
	_, err := a.Read(make([]byte, 1))
	requireTimeout(t, err)
}

func mustWrite(t tb.TB, c net.Conn, s string) {
	t.Helper()
	n, err := c.Write([]byte(s))
	require.NoError(t, err)
	require.Equal(t, len(s), n)
}

func mustRead(t tb.TB, c net.Conn, most int) string {
	t.Helper()
	p := make([]byte, most)
	n, err := c.Read(p)
	require.NoError(t, err)
	return string(p[:n])
}

func requireTimeout(t tb.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}
