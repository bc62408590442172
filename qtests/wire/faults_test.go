package wire_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// TestLimitCounts what all writes since its beginning have sent: the write that reaches it passes, and one that would go
// beyond is cut short.
func TestLimitCounts(t *testing.T) {
	for _, c := range []struct {
		writes []int
		last   int // what passes of the last one
		err    error
	}{
		{[]int{3000}, 3000, nil},
		{[]int{3001}, 3000, syscall.EPIPE},
		{[]int{1000, 2000}, 2000, nil},
		{[]int{1000, 1999, 1}, 1, nil},
		{[]int{1000, 1999, 2}, 1, syscall.EPIPE},
		{[]int{2000, 1500}, 1000, syscall.EPIPE},
	} {
		connected(t, func(q *qtests.T, p *pair) {
			write(q, p.client, 500) // before the event begins
			p.link.LimitData(wire.Up, 3000).Begin()
			last := len(c.writes) - 1
			for _, n := range c.writes[:last] {
				write(q, p.client, n)
			}
			n, err := p.client.Write(make([]byte, c.writes[last]))
			require.ErrorIs(q, err, c.err)
			require.Equal(q, c.last, n)
			got, err := io.ReadAll(p.server)
			require.NoError(q, err)
			require.Len(q, got, 3500)
			_, err = p.client.Write([]byte("x"))
			require.ErrorIs(q, err, syscall.EPIPE)
		})
	}
}

// TestStallHasADirection: what goes the other way arrives at once.
func TestStallHasADirection(t *testing.T) {
	for _, c := range []struct {
		d        wire.Direction
		up, down time.Duration
	}{{wire.Up, 9 * ms, 0}, {wire.Down, 0, 9 * ms}, {wire.Both, 9 * ms, 9 * ms}} {
		connected(t, func(q *qtests.T, p *pair) {
			stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), p.link.Stall(c.d).For(9*ms))
			require.NoError(q, err)
			q.Wait()
			client, server := p.connect(q) // while it lasts
			for _, ends := range [][2]net.Conn{{p.client, p.server}, {client, server}} {
				write(q, ends[0], 10)
				write(q, ends[1], 10)
			}
			for _, ends := range [][2]net.Conn{{p.client, p.server}, {client, server}} {
				arrives := func(at net.Conn, want time.Duration) {
					q.Go(func() {
						began := q.Clock().Now()
						_, err := io.ReadFull(at, make([]byte, 10))
						if took := q.Clock().Since(began); err != nil || took != want {
							q.Errorf("%v: it took %v, want %v: %v", c.d, took, want, err)
						}
					})
				}
				arrives(ends[1], c.up)
				arrives(ends[0], c.down)
			}
			q.Sleep(time.Second)
			require.NoError(q, stop())
		})
	}
}

// TestSlicesVary evenly, by as much as was said.
func TestSlicesVary(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		p.link.Slice(wire.Up, 3, 2, ms).Begin()
		q.Go(func() {
			_, _ = p.client.Write(make([]byte, 3000))
			_ = p.client.Close()
		})
		sizes, all := map[int]int{}, 0
		for all < 2990 {
			n, err := p.server.Read(make([]byte, 100))
			require.NoError(q, err)
			sizes[n]++
			all += n
		}
		require.Len(q, sizes, 5)
		for n, times := range sizes {
			require.True(q, n >= 1 && n <= 5, "a slice of %d bytes", n)
			require.InDelta(q, 200, times, 60, "slices of %d bytes", n) // 1,000 slices; nearly five standard errors
		}
	})
}

// TestLossDrawsByNumber: a write is lost whose draw is less than the chance, and the draw comes from the names of the link
// and the direction, and from the numbers of the fault, the connection and the write.
func TestLossDrawsByNumber(t *testing.T) {
	for _, lost := range []bool{true, false} {
		connected(t, func(q *qtests.T, p *pair) {
			client, _ := p.connect(q) // the second
			p.link.Loss(wire.Up, 1)   // the first, which does not begin
			e := p.link.Loss(wire.Up, 1e-300)
			e.Begin()
			write(q, client, 10)
			e.End()
			chance := q.Stream("wire db").Sub("3").Sub("up").At(2<<32 | 2).Float64()
			if lost {
				chance = math.Nextafter(chance, 1)
			}
			p.link.Loss(wire.Up, chance).Begin()
			_, err := client.Write(make([]byte, 10))
			require.Equal(q, lost, errors.Is(err, syscall.ECONNRESET), "%v", err)
		})
	}
}

// TestTimeoutsEndAlone: when one of two timeouts ends, no connection, old or new, breaks by it any more, and all break by the other.
func TestTimeoutsEndAlone(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		short, long := p.link.Timeout(10*ms), p.link.Timeout(40*ms)
		short.Begin()
		long.Begin()
		q.Sleep(5 * ms)
		short.End()
		client, _ := p.connect(q)
		took, err := read(q, client, 1)
		require.ErrorIs(q, err, io.EOF)
		require.Equal(q, 40*ms, took)
		long.End()

		client, server := p.connect(q)
		q.Sleep(time.Minute)
		write(q, server, 1)
		_, err = read(q, client, 1)
		require.NoError(q, err)
	})
}

// TestDialIsGivenUp on its way back: the server's end of what was made breaks, and a refusal that comes late is none.
func TestDialIsGivenUp(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		p.link.Latency(wire.Down, latency.Fixed(30*ms)).Begin()
		giveUp := func() {
			ctx, cancel := q.Clock().WithTimeout(q.Context(), 10*ms)
			defer cancel()
			_, err := p.dial(ctx, "tcp", "")
			require.ErrorIs(q, err, context.DeadlineExceeded)
		}
		heard := make(chan error, 1)
		q.Go(func() {
			c, err := p.lis.Accept()
			if err == nil {
				_, err = c.Read(make([]byte, 1))
				_ = c.Close()
			}
			heard <- err
		})
		giveUp()
		require.ErrorIs(q, <-heard, io.EOF)
		require.Equal(q, 10*ms, q.Elapsed())
		require.Equal(q, 1, p.link.Open(), "the one from the beginning")
		refuse := p.link.Refuse()
		refuse.Begin()
		giveUp()
		require.Equal(q, 20*ms, q.Elapsed())
		refuse.End()
	})
}

// TestPartitionEndsForTheOthers: who gives up takes nobody along.
func TestPartitionEndsForTheOthers(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		part := p.link.Partition()
		part.Begin()
		var dialled atomic.Int32
		for _, d := range []time.Duration{time.Minute, 10 * ms, time.Minute} {
			q.Go(func() {
				ctx, cancel := q.Clock().WithTimeout(q.Context(), d)
				defer cancel()
				c, err := p.dial(ctx, "tcp", "")
				if err == nil {
					dialled.Add(1)
					_ = c.Close()
				}
			})
		}
		q.Go(func() {
			for range 2 {
				if c, err := p.lis.Accept(); err == nil {
					_ = c.Close()
				}
			}
		})
		q.Sleep(time.Second)
		part.End()
		q.Sleep(time.Second)
		require.EqualValues(q, 2, dialled.Load())
	})
}

// TestDialTakesNoTime without a fault.
func TestDialTakesNoTime(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		for range 3 {
			p.connect(q)
		}
		require.Zero(q, q.Elapsed())
	})
}

// TestEndedConnectionsAreForgotten while the link goes on.
func TestEndedConnectionsAreForgotten(t *testing.T) {
	connected(t, func(q *qtests.T, p *pair) {
		q.Go(func() {
			for {
				c, err := p.lis.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		})
		var ended []weak.Pointer[memnet.Conn]
		for range 100 {
			c, err := p.dial(q.Context(), "tcp", "")
			require.NoError(q, err)
			_ = c.Close()
			ended = append(ended, weak.Make(c.(*memnet.Conn)))
			q.Wait()
		}
		runtime.GC()
		kept := 0
		for _, c := range ended {
			if c.Value() != nil {
				kept++
			}
		}
		require.LessOrEqual(q, kept, 40)
		_ = p.lis.Close()
	})
}
