package fakehttp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// errReadClosed is net/http's, which it keeps to itself.
var errReadClosed = errors.New("http: read on closed response body")

// A body is a response's body on its way through a slow, unreliable network. It holds
// the connection until it has been read to its end or closed, the context of the
// request has ended, or an outage has cut the line.
type body struct {
	x      *exchange // belongs to the reader, to abandon, and to Close if that comes first: see finish
	under  io.ReadCloser
	memory bool   // under never blocks
	atEnd  func() // is called at the end of the body, if it is reached; may be nil

	read   atomic.Int64 // bytes delivered
	length int64        // the Content-Length, or -1
	err    error        // of the Read that was the last

	closed   atomic.Bool
	finished atomic.Bool
	use      atomic.Int32 // who uses under
	readers  atomic.Int32 // Reads under way: a second one is a mistake of the client's, but must not reach into another exchange
	unfollow func() bool

	size [1]string // the Content-Length in the header
}

// Who uses the body of the responder: reads and Close of it never overlap, unless a
// Close has to end a read that blocks.
const (
	unused int32 = iota
	reading
	shut
)

// chunkOf is how long one piece of a body takes at a limited bandwidth: a body
// arrives in pieces, but not byte by byte.
const chunkOf = 10 * time.Millisecond

// largestRead is how much one read that may block takes.
const largestRead = 32 << 10

// newBody returns the body of the exchange, which has one, and has been measured.
func newBody(x *exchange, under io.ReadCloser, length int64) *body {
	b := x.body
	b.x, b.under, b.length, b.unfollow = x, under, length, func() bool { return true }
	return b
}

// watch gives the connection back as soon as the context of the request ends, also if
// nobody reads.
func (b *body) watch() {
	if b.x.ctx.Done() != nil {
		b.unfollow = context.AfterFunc(b.x.ctx, b.abandon)
	}
}

// abandon ends the body for the caller that has given it up.
func (b *body) abandon() {
	b.x.end(false)
	if !b.memory {
		_ = b.shutUnused()
	}
}

// Read is for one goroutine at a time, as with any body.
func (b *body) Read(p []byte) (n int, err error) {
	b.readers.Add(1)
	defer b.readers.Add(-1)
	switch {
	case b.closed.Load():
		return 0, errReadClosed
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	}
	n, err = b.receive(p)
	read := b.read.Add(int64(n))
	if err == nil && b.length >= 0 && read >= b.length {
		err = io.EOF // as http.Transport does: with the last bytes
	}
	if err == io.EOF && read < b.length {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		return n, nil
	}
	if err == io.EOF && b.atEnd != nil {
		b.atEnd()
	}
	b.err = b.x.cause(err)
	if err != io.EOF {
		b.finish(false)
		_ = b.shutUnused()
	} else if b.finish(true) && b.readers.Load() == 1 && b.x.recycle() {
		b.x = nil
	}
	return n, b.err
}

// receive reads what has arrived.
func (b *body) receive(p []byte) (n int, err error) {
	if err := b.x.broken(); err != nil {
		return 0, err
	}
	want := int64(len(p))
	if b.length >= 0 {
		want = min(want, b.length-b.read.Load())
	}
	room, rate, err := b.admit(want)
	if err != nil {
		return 0, err
	}
	if n, err = b.fetch(p[:room]); n > 0 && b.held() {
		if held := b.x.h.engine.Linger(b.x.ctx, &b.x.call, 0, fault.Freeze); held != nil {
			return 0, held
		}
	}
	if rate > 0 && n > 0 {
		if paced := b.pace(n, rate); paced != nil {
			return 0, paced
		}
	}
	return n, err
}

func (b *body) held() bool { return b.x.h.active(fault.Freeze, b.x.call.On) != nil }

// fetch reads from the responder's body. A read that may block runs on a goroutine of
// its own, so that the end of the context, or an outage, ends the wait.
func (b *body) fetch(p []byte) (n int, err error) {
	if !b.use.CompareAndSwap(unused, reading) {
		return 0, cmp.Or(b.x.broken(), errReadClosed) // it has been given up since
	}
	if b.memory {
		defer b.use.Store(unused)
		return b.under.Read(p)
	}
	x := b.x
	if x.shared = true; x.buf == nil {
		x.buf = make([]byte, min(len(p), largestRead))
	}
	var got int // the reader's, until it has ended
	buf, ended := x.buf[:min(len(p), len(x.buf))], make(chan error, 1)
	x.h.begin()
	go usercode.Run(func() (err error) {
		got, err = b.under.Read(buf)
		return err
	}, func(err error) { ended <- err; x.h.end() })
	select {
	case err = <-ended:
		b.use.Store(unused)
	case <-x.ctx.Done():
	case <-x.line.Cut():
	}
	// One event may bring several of these. Then select chooses one at random, and the
	// order of the following lines decides.
	if broken := x.broken(); broken != nil {
		b.interrupt()
		return 0, broken
	}
	return copy(p, buf[:got]), explain(err)
}

// admit waits while the body stalls or everything is frozen. It returns how many bytes
// may be read now, and the bandwidth, 0 for no limit. If a fault lies ahead, the read
// ends before it, so that the next read meets it.
func (b *body) admit(want int64) (room int64, rate float64, err error) {
	e, call := b.x.h.engine, &b.x.call
	for {
		room = want
		s := e.Script()
		freeze := s.First(fault.Freeze, call.On) != nil
		stall := b.ahead(s, fault.Stall, &room)
		reset := b.ahead(s, fault.Reset, &room)
		rate = s.Lowest(fault.Bandwidth, call.On, b.x.h.cfg.bandwidth())
		hold := fault.Stall
		switch {
		case reset:
			return 0, 0, b.x.h.resetError(call.Op)
		case freeze:
			hold = fault.Freeze
			fallthrough
		case stall:
			if err := e.Linger(b.x.ctx, call, 0, hold); err != nil {
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
	if s.First(kind, b.x.call.On) == nil {
		return false
	}
	at := int64(s.Lowest(kind, b.x.call.On, maxBandwidth))
	read := b.read.Load()
	if read >= at {
		return true
	}
	*room = min(*room, at-read)
	return false
}

// pace waits until n bytes more have passed at the given rate.
func (b *body) pace(n int, rate float64) error {
	x, clk := b.x, b.x.h.common.Clock
	if now := clk.Now(); x.due.Before(now) {
		x.due = now
	}
	x.due = x.due.Add(time.Duration(float64(n) / rate * float64(time.Second)))
	return x.h.engine.Linger(x.ctx, &x.call, clk.Until(x.due), fault.Freeze)
}

// Close gives the connection back. As with a real one, a body that has not been
// read to its end costs the connection.
func (b *body) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	// What a Read has under way is not known to be all.
	owned, whole := b.use.CompareAndSwap(unused, shut), false
	if owned && !b.finished.Load() {
		left, known := inMemory(b.under)
		whole = known && left == 0 && b.read.Load() >= b.length
	}
	b.finish(whole)
	if owned || !b.memory && b.use.CompareAndSwap(reading, shut) { // read by another goroutine
		return b.under.Close()
	}
	return nil
}

// finish ends the exchange. Read and Close call it, and the second call does nothing. It
// reports whether nobody else uses the exchange any more: abandon will not run, and a Read
// or a Close that comes later does not touch it.
func (b *body) finish(reusable bool) (alone bool) {
	if !b.finished.CompareAndSwap(false, true) {
		return false
	}
	alone = b.unfollow()
	b.x.end(reusable)
	return alone
}

// shutUnused closes the responder's body, unless it is being read: then the reader
// closes it.
func (b *body) shutUnused() error {
	if b.use.CompareAndSwap(unused, shut) {
		return b.under.Close()
	}
	return nil
}

// interrupt closes the responder's body, also under a read that blocks: nothing else
// ends that read.
func (b *body) interrupt() {
	if b.use.Swap(shut) != shut {
		go usercode.Run(b.under.Close, func(error) {})
	}
}

// switched is the body of a 101: the connection, which the caller writes to as well.
type switched struct {
	*body
	w io.Writer // nil if the responder's body takes nothing
}

func (s *switched) Write(p []byte) (int, error) {
	switch err := s.x.broken(); {
	case s.closed.Load():
		return 0, io.ErrClosedPipe
	case err != nil:
		return 0, err
	case s.w == nil:
		return 0, errors.New("fakehttp: the responder's body of a 101 is no io.Writer")
	}
	return s.w.Write(p)
}

// withoutEnd returns a context with the values of ctx that never ends.
func withoutEnd(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
