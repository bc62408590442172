package wire

import (
	"fmt"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/wire/internal/lane"
)

// Latency has each write, each end of a connection and each dial arrive later, by as much as is
// drawn for it: latency.Fixed, or with jitter latency.Normal, Uniform and others. In Both directions
// each draws its own, so that a request and its answer take two.
func (l *Link) Latency(d Direction, late latency.Distribution) event.Event {
	l.q.Helper()
	l.must(late.Err())
	return l.effect(d, "latency "+late.String(), lane.Effect{Latency: late})
}

// Bandwidth lets so many bytes a second pass, at least 1. All connections share them.
func (l *Link) Bandwidth(d Direction, bytesPerSecond int64) event.Event {
	l.q.Helper()
	l.atLeastOne("Bandwidth: bytesPerSecond", bytesPerSecond)
	return l.effect(d, fmt.Sprintf("bandwidth %d B/s", bytesPerSecond), lane.Effect{Bandwidth: bytesPerSecond})
}

// Slice cuts each write into pieces of size bytes, give or take vary (drawn evenly), which leave with
// a pause between them. size is at least 1, vary is less, and pause is not negative.
func (l *Link) Slice(d Direction, size, vary int, pause time.Duration) event.Event {
	l.q.Helper()
	l.atLeastOne("Slice: size", int64(size))
	if vary < 0 || vary >= size || pause < 0 {
		l.must(fmt.Errorf("Slice: vary %d is not from 0 to %d, or pause %v is negative", vary, size-1, pause))
	}
	return l.effect(d, fmt.Sprintf("slices of %d bytes", size), lane.Effect{Slice: lane.Slice{Size: size, Vary: vary, Pause: pause}})
}

// SlowClose has the end of a connection arrive later, by d more than what was written before it.
func (l *Link) SlowClose(dir Direction, d time.Duration) event.Event {
	l.q.Helper()
	l.atLeastOne("SlowClose: d", int64(d))
	return l.effect(dir, fmt.Sprintf("slow close %v", d), lane.Effect{SlowClose: d})
}

// LimitData ends a connection after so many bytes, counted from the beginning of the event for
// each connection and direction: both ends read what is on its way and then io.EOF. A write that is
// cut short fails with EPIPE.
func (l *Link) LimitData(d Direction, bytes int64) event.Event {
	l.q.Helper()
	l.atLeastOne("LimitData: bytes", bytes)
	return l.effect(d, fmt.Sprintf("limit of %d bytes", bytes), lane.Effect{LimitData: bytes})
}

// Loss breaks the connection of a write with a chance over 0 and at most 1: the write fails, and
// both ends read ECONNRESET.
func (l *Link) Loss(d Direction, chance float64) event.Event {
	l.q.Helper()
	if !(chance > 0 && chance <= 1) {
		l.must(fmt.Errorf("Loss: chance: %v is not over 0 and at most 1", chance))
	}
	return l.effect(d, fmt.Sprintf("loss %v", chance), lane.Effect{Loss: chance})
}

// Reset breaks all open connections: both ends read what has arrived and then ECONNRESET, and
// their writes fail with it. The event has no end.
func (l *Link) Reset() event.Event {
	return l.event("reset", func() { l.reset() }, nil)
}

func (l *Link) reset() {
	l.each(func(c *memnet.Conn) { c.Sever(syscall.ECONNRESET, syscall.ECONNRESET) })
}

// Refuse breaks all open connections, and has dials refused (ECONNREFUSED) until it ends.
func (l *Link) Refuse() event.Event {
	return l.event("refuses", func() { l.refuse(1); l.reset() }, func() { l.refuse(-1) })
}

// Stall keeps what is sent from arriving, until it ends. Dials go on: a server that accepts and
// does not answer is a Stall of Down.
func (l *Link) Stall(d Direction) event.Event {
	l.q.Helper()
	l.known(d)
	return l.event("stalls "+d.String(), func() { l.stall(d, 1) }, func() { l.stall(d, -1) })
}

// Partition keeps everything from arriving in both directions, and dials waiting, until it ends.
func (l *Link) Partition() event.Event {
	return l.event("partitioned", func() { l.part(1); l.stall(Both, 1) }, func() { l.stall(Both, -1); l.part(-1) })
}

// HalfOpen has the host that listens be gone without a word, until it ends; see the package doc.
func (l *Link) HalfOpen() event.Event {
	var lost []*memnet.Conn
	return l.event("half open", func() {
		l.part(1)
		lost = l.open()
		l.inTurn(lost, (*memnet.Conn).LosePeer)
	}, func() {
		l.inTurn(lost, (*memnet.Conn).PeerIsBack)
		l.part(-1)
	})
}

// Timeout keeps what is sent from arriving, and ends each connection when it has been so for d:
// both ends read io.EOF. Connections that are dialled meanwhile have as long. When the event ends, what was
// held up arrives.
func (l *Link) Timeout(d time.Duration) event.Event {
	l.q.Helper()
	l.atLeastOne("Timeout: d", int64(d))
	var t *timeout
	return l.event(fmt.Sprintf("timeout %v", d), func() {
		t = &timeout{after: d}
		l.stall(Both, 1)
		l.begin(t)
	}, func() {
		l.finish(t)
		l.stall(Both, -1)
	})
}

func (l *Link) event(what string, begin, end func()) event.Event {
	return event.New("link "+l.name+": "+what, begin, end)
}

// effect is an event that does something to what is sent.
func (l *Link) effect(d Direction, what string, does lane.Effect) event.Event {
	l.q.Helper()
	l.known(d)
	stream := l.q.Stream("wire " + l.name).Sub(fmt.Sprint(l.nextFault()))
	var now []func()
	return l.event(what+" "+d.String(), func() {
		now = nil
		if d&Up != 0 {
			now = append(now, l.up.Add(does, stream.Sub("up")))
		}
		if d&Down != 0 {
			now = append(now, l.down.Add(does, stream.Sub("down")))
		}
	}, func() {
		for _, remove := range now {
			remove()
		}
	})
}

func (l *Link) known(d Direction) {
	l.q.Helper()
	if d != Up && d != Down && d != Both {
		l.must(fmt.Errorf("%v is no direction", d))
	}
}

func (l *Link) atLeastOne(what string, n int64) {
	l.q.Helper()
	if n < 1 {
		l.must(fmt.Errorf("%s: %d is less than 1", what, n))
	}
}

// must fails the test with an error.
func (l *Link) must(err error) {
	l.q.Helper()
	if err != nil {
		tb.Fatalf(l.q, "wire: link %s: %v", l.name, err)
	}
}
