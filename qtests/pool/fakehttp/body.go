package fakehttp

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// A body is a response's body on its way through a slow, unreliable
// network. It holds the connection until it has been read to its end or closed.
type body struct {
	under io.ReadCloser
	h     *Fake
	ctx   context.Context
	call  fault.Call
	lease pool.Lease[*conn]

	read int64     // bytes delivered
	due  time.Time // when the last byte delivered was due, under a bandwidth
	err  error     // of the Read that was the last

	once sync.Once // ends the lease
}

// chunkOf is how long one piece of a body takes at a limited bandwidth: a body
// arrives in pieces, but not byte by byte.
const chunkOf = 10 * time.Millisecond

// Read is for one goroutine at a time, as with any body.
func (b *body) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	room, rate, err := b.admit(int64(len(p)))
	if err == nil {
		n, err = b.under.Read(p[:room])
		if rate > 0 && n > 0 {
			if paced := b.pace(n, rate); paced != nil {
				n, err = 0, paced
			}
		}
	}
	b.read += int64(n)
	if err != nil {
		b.err = err
		b.finish(err == io.EOF)
	}
	return n, err
}

// admit waits while the body stalls. It returns how many bytes may be read now, and the
// bandwidth, 0 for no limit. If a fault lies ahead, the read ends before it, so that the
// next read meets it.
func (b *body) admit(want int64) (room int64, rate float64, err error) {
	e := b.h.engine
	for {
		var stall bool
		var rst *fault.Fault
		room = want
		e.Read(func(s *fault.Script) {
			stall = b.ahead(s, fault.Stall, &room)
			if b.ahead(s, fault.Reset, &room) {
				rst = s.First(fault.Reset, b.call.On)
			}
			rate = s.Lowest(fault.Bandwidth, b.call.On, b.h.cfg.bandwidth())
		})
		switch {
		case rst != nil:
			return 0, 0, b.h.resetError(b.call.Op)
		case stall:
			if err := e.Linger(b.ctx, &b.call, 0, fault.Stall); err != nil {
				return 0, 0, err
			}
			continue
		}
		if rate >= maxBandwidth {
			return room, 0, nil
		}
		return min(room, max(1, int64(rate*chunkOf.Seconds()))), rate, nil
	}
}

// ahead reports whether the fault has been reached; room ends before it if not.
func (b *body) ahead(s *fault.Script, kind fault.Kind, room *int64) bool {
	if s.First(kind, b.call.On) == nil {
		return false
	}
	at := int64(s.Lowest(kind, b.call.On, maxBandwidth))
	if b.read >= at {
		return true
	}
	*room = min(*room, at-b.read)
	return false
}

// pace waits until n bytes more have passed at the given rate.
func (b *body) pace(n int, rate float64) error {
	clk := b.h.common.Clock
	if now := clk.Now(); b.due.Before(now) {
		b.due = now
	}
	b.due = b.due.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	return b.h.engine.Linger(b.ctx, &b.call, clk.Until(b.due), fault.Freeze)
}

// Close gives the connection back. As with a real one, a body that has not been
// read to its end costs the connection.
func (b *body) Close() error {
	whole := false
	if l, ok := b.under.(interface{ Len() int }); ok {
		whole = l.Len() == 0
	}
	b.finish(whole)
	return b.under.Close()
}

// finish ends the lease, once.
func (b *body) finish(reusable bool) {
	b.once.Do(func() {
		if reusable {
			b.lease.Release()
		} else {
			b.lease.Discard(nil)
		}
	})
}
