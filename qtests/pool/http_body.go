package pool

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

func newTextResponse(code int, text string) *http.Response {
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}

// An httpBody is a response's body on its way through a slow, unreliable
// network. It holds the connection until it has been read to its end or closed.
type httpBody struct {
	under io.ReadCloser
	h     *HTTP
	ctx   context.Context
	call  faultCall
	lease Lease[*httpConn]

	read int64     // bytes delivered
	due  time.Time // when the last byte delivered was due, under a bandwidth
	err  error     // of the Read that was the last

	once sync.Once // ends the lease
}

// chunkOf is how long one piece of a body takes at a limited bandwidth: a body
// arrives in pieces, but not byte by byte.
const chunkOf = 10 * time.Millisecond

// Read is for one goroutine at a time, as with any body.
func (b *httpBody) Read(p []byte) (n int, err error) {
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

// admit waits while the body stalls, and returns how many bytes may be read now,
// and at what bandwidth, 0 for none. A fault that lies ahead shortens the read so
// that the next one meets it.
func (b *httpBody) admit(want int64) (room int64, rate float64, err error) {
	e := b.h.engine
	for {
		var stall bool
		var rst *fault
		room = want
		e.shape(func(s *script) {
			stall = b.ahead(s, faultStall, &room)
			if b.ahead(s, faultReset, &room) {
				rst = s.first(faultReset, b.call.on)
			}
			rate = s.lowest(faultBandwidth, b.call.on, b.h.bandwidth())
		})
		switch {
		case rst != nil:
			return 0, 0, e.resetError(b.call.op)
		case stall:
			if err := e.linger(b.ctx, &b.call, 0, faultStall); err != nil {
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
func (b *httpBody) ahead(s *script, kind faultKind, room *int64) bool {
	if s.first(kind, b.call.on) == nil {
		return false
	}
	at := int64(s.lowest(kind, b.call.on, maxBandwidth))
	if b.read >= at {
		return true
	}
	*room = min(*room, at-b.read)
	return false
}

// pace waits until n bytes more have passed at the given rate.
func (b *httpBody) pace(n int, rate float64) error {
	clk := b.h.engine.clk
	if now := clk.Now(); b.due.Before(now) {
		b.due = now
	}
	b.due = b.due.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	return b.h.engine.linger(b.ctx, &b.call, clk.Until(b.due), faultFreeze)
}

// Close gives the connection back. As with a real one, a body that has not been
// read to its end costs the connection.
func (b *httpBody) Close() error {
	whole := false
	if l, ok := b.under.(interface{ Len() int }); ok {
		whole = l.Len() == 0
	}
	b.finish(whole)
	return b.under.Close()
}

// finish ends the lease, once.
func (b *httpBody) finish(reusable bool) {
	b.once.Do(func() {
		if reusable {
			b.lease.Release()
		} else {
			b.lease.Discard(nil)
		}
	})
}
