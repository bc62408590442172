package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

const ms = time.Millisecond

// A pair is the two ends of a connection through a link, and how long the test has run.
type pair struct {
	link           *wire.Link
	lis            *qtests.Listener
	dial           func(ctx context.Context, network, addr string) (net.Conn, error)
	client, server net.Conn
}

// connected runs body with a connection.
func connected(t *testing.T, body func(q *qtests.T, p *pair)) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) {
		p := &pair{link: wire.NewT(q, "db"), lis: qtests.Listen(q.Clock(), "db:1")}
		q.Cleanup(func() { _ = p.lis.Close() })
		p.dial = p.link.Dialer(p.lis.Dial)
		p.client, p.server = p.connect(q)
		body(q, p)
	})
}

func (p *pair) connect(q *qtests.T) (client, server net.Conn) {
	q.Helper()
	accepted := make(chan net.Conn, 1)
	q.Go(func() {
		c, err := p.lis.Accept()
		if err != nil {
			q.Errorf("%v", err)
		}
		accepted <- c
	})
	client, err := p.dial(q.Context(), "tcp", "")
	require.NoError(q, err)
	server = <-accepted
	q.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

func write(q *qtests.T, c net.Conn, n int) {
	q.Helper()
	k, err := c.Write(make([]byte, n))
	require.NoError(q, err)
	require.Equal(q, n, k)
}

// read reads n bytes, and says how long that took.
func read(q *qtests.T, c net.Conn, n int) (time.Duration, error) {
	began := q.Clock().Now()
	_, err := io.ReadFull(c, make([]byte, n))
	return q.Clock().Since(began), err
}

// TestExactly has what each fault does to a write of 3,000 bytes.
func TestExactly(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(*wire.Link) event.Event
		n     int
		want  time.Duration
		err   error
	}{
		{"none", func(l *wire.Link) event.Event { return l.Latency(wire.Down, latency.Fixed(ms)) }, 3000, 0, nil},
		{"latency", func(l *wire.Link) event.Event { return l.Latency(wire.Up, latency.Fixed(50*ms)) }, 3000, 50 * ms, nil},
		{"odd latency", func(l *wire.Link) event.Event { return l.Latency(wire.Both, latency.Fixed(50*ms+7)) }, 3000, 50*ms + 7, nil},
		{"bandwidth, first segment", func(l *wire.Link) event.Event { return l.Bandwidth(wire.Up, 1000) }, 1, 1460 * ms, nil},
		{"bandwidth", func(l *wire.Link) event.Event { return l.Bandwidth(wire.Up, 1000) }, 3000, 3 * time.Second, nil},
		{"bandwidth, rounded up", func(l *wire.Link) event.Event { return l.Bandwidth(wire.Up, 7) }, 3000, 428571428572, nil},
		{"slices", func(l *wire.Link) event.Event { return l.Slice(wire.Up, 1000, 0, ms) }, 3000, 2 * ms, nil},
		{"slices of a byte", func(l *wire.Link) event.Event { return l.Slice(wire.Up, 1, 0, ms) }, 3000, 2999 * ms, nil},
		{"slices without a pause", func(l *wire.Link) event.Event { return l.Slice(wire.Up, 1000, 999, 0) }, 3000, 0, nil},
		{"limit", func(l *wire.Link) event.Event { return l.LimitData(wire.Up, 2999) }, 3000, 0, io.ErrUnexpectedEOF},
		{"loss", func(l *wire.Link) event.Event { return l.Loss(wire.Up, 1) }, 3000, 0, syscall.ECONNRESET},
		{"stall", func(l *wire.Link) event.Event { return l.Stall(wire.Up).For(9 * ms) }, 3000, 9 * ms, nil},
		{"stall of the other direction", func(l *wire.Link) event.Event { return l.Stall(wire.Down) }, 3000, 0, nil},
		{"partition", func(l *wire.Link) event.Event { return l.Partition().For(9 * ms) }, 3000, 9 * ms, nil},
		{"timeout", func(l *wire.Link) event.Event { return l.Timeout(9 * ms) }, 3000, 9 * ms, io.EOF},
		{"timeout that ends", func(l *wire.Link) event.Event { return l.Timeout(9 * ms).For(5 * ms) }, 3000, 5 * ms, nil},
		{"reset", func(l *wire.Link) event.Event { return l.Reset() }, 3000, 0, syscall.ECONNRESET},
		{"refused", func(l *wire.Link) event.Event { return l.Refuse() }, 3000, 0, syscall.ECONNRESET},
		{"half open", func(l *wire.Link) event.Event { return l.HalfOpen() }, 3000, 0, net.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			connected(t, func(q *qtests.T, p *pair) {
				stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), c.fault(p.link))
				require.NoError(q, err)
				q.Wait()
				_, _ = p.client.Write(make([]byte, 3000))
				took, err := read(q, p.server, c.n)
				require.ErrorIs(q, err, c.err)
				require.Equal(q, c.want, took)
				require.NoError(q, stop())
			})
		})
	}
}

// TestEndTravels: Close arrives as late as what was written, or later, and so does the news
// that nobody reads any more.
func TestEndTravels(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		late, slow := p.link.Latency(wire.Both, latency.Fixed(50*ms)), p.link.SlowClose(wire.Up, 25*ms)
		late.Begin()
		slow.Begin()
		write(q, p.client, 10)
		require.NoError(q, p.client.Close())
		took, err := read(q, p.server, 10)
		require.NoError(q, err)
		require.Equal(q, 50*ms, took)
		write(q, p.server, 10) // it has not heard
		took, err = read(q, p.server, 1)
		require.ErrorIs(q, err, io.EOF)
		require.Equal(q, 25*ms, took)
		_, err = p.server.Write(make([]byte, 10))
		require.ErrorIs(q, err, syscall.EPIPE)
		late.End()
		slow.End()
	})
}

// TestDial: a latency up, one down; a partition keeps it waiting, and its context counts.
func TestDial(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		up, down := p.link.Latency(wire.Up, latency.Fixed(30*ms)), p.link.Latency(wire.Down, latency.Fixed(12*ms))
		up.Begin()
		down.Begin()
		began := q.Clock().Now()
		since := func() time.Duration { return q.Clock().Since(began) }
		_, server := p.connect(q)
		require.Equal(q, 42*ms, since())
		require.NotNil(q, server)

		ctx, cancel := q.Clock().WithTimeout(q.Context(), 35*ms)
		defer cancel()
		q.Go(func() {
			c, err := p.lis.Accept()
			if err == nil {
				_ = c.Close()
			}
		})
		_, err := p.dial(ctx, "tcp", "")
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, 77*ms, since())
		up.End()
		down.End()

		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), p.link.Partition().For(100*ms))
		require.NoError(q, err)
		q.Wait()
		ctx, cancel = q.Clock().WithTimeout(q.Context(), 23*ms)
		defer cancel()
		_, err = p.dial(ctx, "tcp", "")
		require.ErrorIs(q, err, context.DeadlineExceeded)
		require.Equal(q, 100*ms, since())
		_, _ = p.connect(q)
		require.Equal(q, 177*ms, since())
		require.NoError(q, stop())

		refuse := p.link.Refuse()
		refuse.Begin()
		_, err = p.dial(q.Context(), "tcp", "")
		var op *net.OpError
		require.ErrorAs(q, err, &op)
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		refuse.End()
		_, _ = p.connect(q)
	})
}

// TestDeadlines count through a stall, a latency and a narrow link, in both directions.
func TestDeadlines(t *testing.T) {
	for _, fault := range []func(*wire.Link) event.Event{
		func(l *wire.Link) event.Event { return l.Stall(wire.Both) },
		func(l *wire.Link) event.Event { return l.Partition() },
		func(l *wire.Link) event.Event { return l.HalfOpen() },
		func(l *wire.Link) event.Event { return l.Latency(wire.Both, latency.Fixed(time.Hour)) },
		func(l *wire.Link) event.Event { return l.Bandwidth(wire.Both, 1) },
	} {
		connected(t, func(q *qtests.T, p *pair) {
			e := fault(p.link)
			t.Log(e.Name)
			e.Begin()
			began := q.Clock().Now()
			require.NoError(q, p.client.SetDeadline(began.Add(70*ms)))
			_, err := p.client.Read(make([]byte, 1))
			require.ErrorIs(q, err, os.ErrDeadlineExceeded)
			require.Equal(q, 70*ms, q.Clock().Since(began))
			require.NoError(q, p.client.SetDeadline(began.Add(170*ms)))
			n, err := p.client.Write(make([]byte, 100_000))
			require.ErrorIs(q, err, os.ErrDeadlineExceeded)
			require.Equal(q, 64<<10, n, "as much as is under way")
			require.Equal(q, 170*ms, q.Clock().Since(began))
			e.End()
		})
	}
}

// TestHalfOpen: the client hears nothing, until the host is back and it has sent something.
func TestHalfOpen(t *testing.T) {
	for _, early := range []bool{true, false} {
		connected(t, func(q *qtests.T, p *pair) {
			e := p.link.HalfOpen()
			e.Begin()
			_, err := p.server.Read(make([]byte, 1))
			require.Error(q, err)
			if early {
				write(q, p.client, 100)
			}
			failed := make(chan error, 1)
			q.Go(func() { _, err := p.client.Read(make([]byte, 1)); failed <- err })
			q.Sleep(time.Hour)
			require.Empty(q, failed)
			e.End()
			q.Sleep(time.Hour)
			if !early {
				require.Empty(q, failed, "who only listens never hears")
				write(q, p.client, 100)
			}
			require.ErrorIs(q, <-failed, syscall.ECONNRESET)
			_, err = p.client.Write([]byte("x"))
			require.ErrorIs(q, err, syscall.ECONNRESET)
			_, _ = p.connect(q)
		})
	}
}

// TestBandwidthIsShared by all connections of the link, and counted from when it is idle.
func TestBandwidthIsShared(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		other, otherServer := p.connect(q)
		e := p.link.Bandwidth(wire.Up, 1000)
		e.Begin()
		write(q, p.client, 1000)
		write(q, other, 500)
		took, err := read(q, otherServer, 500)
		require.NoError(q, err)
		require.Equal(q, 1500*ms, took)
		q.Sleep(10 * time.Second)
		write(q, other, 500)
		took, err = read(q, otherServer, 500)
		require.NoError(q, err)
		require.Equal(q, 500*ms, took)
	})
}

// TestFaultsOverlap: latencies add up, and a stall ends when the last one does.
func TestFaultsOverlap(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		p.link.Latency(wire.Up, latency.Fixed(5*ms)).Begin()
		p.link.Latency(wire.Both, latency.Fixed(7*ms)).Begin()
		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), p.link.Stall(wire.Up).For(20*ms), p.link.Partition().For(30*ms))
		require.NoError(q, err)
		q.Wait()
		write(q, p.client, 1)
		took, err := read(q, p.server, 1)
		require.NoError(q, err)
		require.Equal(q, 30*ms, took)
		write(q, p.client, 1)
		took, err = read(q, p.server, 1)
		require.NoError(q, err)
		require.Equal(q, 12*ms, took)
		require.NoError(q, stop())
	})
}

// TestSeveredStaysSo: what happens to the link later is nothing to a broken connection.
func TestSeveredStaysSo(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		p.link.Reset().Begin()
		p.link.Stall(wire.Both).Begin()
		_, err := read(q, p.client, 1)
		require.ErrorIs(q, err, syscall.ECONNRESET)
	})
}

// TestSocketsAreRefused, and what else is not a connection of ours.
func TestSocketsAreRefused(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		a, b := net.Pipe()
		defer b.Close() //nolint:errcheck // of a test
		_, err := wire.NewT(q, "x").Dialer(func(context.Context) (net.Conn, error) { return a, nil })(q.Context(), "", "")
		require.ErrorIs(q, err, wire.ErrNotInMemory)
		require.ErrorContains(q, err, "*net.pipe")
	})
}

// TestHTTP: a request takes a round trip, and one for the dial.
func TestHTTP(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		server := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
		link := wire.NewT(q, "shop")
		client := link.Client(server)
		link.Latency(wire.Both, latency.Fixed(50*ms)).Begin()
		for _, want := range []time.Duration{200 * ms, 100 * ms} {
			began := q.Clock().Now()
			res, err := client.Get("http://shop/")
			require.NoError(q, err)
			text, err := io.ReadAll(res.Body)
			require.NoError(q, err)
			require.NoError(q, res.Body.Close())
			require.Equal(q, "hello", string(text))
			require.Equal(q, want, q.Clock().Since(began))
		}
		require.Equal(q, 1, link.Open())
		limit := link.LimitData(wire.Down, 30)
		limit.Begin()
		_, err := client.Get("http://shop/")
		require.True(q, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF), err)
	})
}

// TestOneOutcome: jitter and loss come from the seed, the link, the connection and the write.
func TestOneOutcome(t *testing.T) {
	outcome := func(extra bool) (log string) {
		connected(t, func(q *qtests.T, p *pair) {
			p.link.Latency(wire.Up, latency.Uniform(0, 100*ms)).Begin()
			if extra {
				p.link.SlowClose(wire.Down, ms).Begin() // it draws nothing of the first
			}
			for range 20 {
				write(q, p.client, 10)
				took, err := read(q, p.server, 10)
				require.NoError(q, err)
				log += fmt.Sprintln(took)
			}
			p.link.Loss(wire.Up, 0.2).Begin()
			for err := error(nil); err == nil; log += "w" {
				_, err = p.client.Write([]byte("x"))
			}
		})
		return log
	}
	first := outcome(false)
	for range 5 {
		require.Equal(t, first, outcome(false))
	}
	require.Equal(t, first[:40], outcome(true)[:40])
}
