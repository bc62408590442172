package fakehttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
)

// An exchange is one request and its response. It has a lease of a connection, and the
// line of the call, until the body of the response has ended. One goroutine at a time
// uses it, apart from end. What every request needs is in it as a value: most of what a
// fake costs is what it allocates.
type exchange struct {
	h           *Fake
	req         *http.Request
	op          string
	ctx         context.Context // ends when the caller gives the request up
	route       route
	connections *pool.Pool[*conn] // to its host
	trace       *tracer
	call        fault.Call
	lease       pool.Lease[*conn]
	conn        *conn
	line        *fault.Line
	closes      bool // the connection ends with the exchange
	gzip        bool // the fake asks for it in place of the client, which gets the body decoded
	shared      bool // others than the exchange and its body may refer to it, also after its end
	unhook      func()

	once sync.Once // ends the lease

	woken  chan struct{} // has room for the end of a responder and for a cut of the line; nil for a canned one
	answer answer        // the responder's, the latest
	body   *body         // nil until there is an answer
	place  fault.Line    // what line points to
	gzips  [1]string     // Accept-Encoding of the request

	due time.Time // when the last byte of the body was due, under a bandwidth
	buf []byte    // for the reads of the body that may block
}

// exchanges are those that have ended, for the next requests. That spares a request 640
// bytes of 1,520, and a quarter of its time.
var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func newExchange(h *Fake, req *http.Request) *exchange {
	x := exchanges.Get().(*exchange)
	x.h, x.req, x.trace, x.closes = h, req, traceOf(req), req.Close
	return x
}

// recycle gives up an exchange that has ended, if its caller alone refers to it. An
// outage that has struck the line may still come to tell the exchange of it. The end of a
// freeze may not: a call that it let go has taken that word before it went on.
func (x *exchange) recycle() (given bool) {
	if x.shared || x.line.Err() != nil {
		return false
	}
	*x = exchange{}
	exchanges.Put(x)
	return true
}

// LineCut gives up a connection that an outage has cut.
func (x *exchange) LineCut() {
	if x.woken != nil {
		x.woken <- struct{}{}
	}
	x.end(false)
}

// end gives the connection back, once. Any goroutine may call it. The line has been
// attached by then, if it was.
func (x *exchange) end(reusable bool) {
	x.once.Do(func() {
		if x.line != nil {
			x.line.Detach()
		}
		x.unhook()
		if reusable && !x.closes {
			x.conn.since = x.h.sinceOpen()
			x.lease.Release()
			x.trace.putIdle()
		} else {
			x.lease.Discard(nil)
		}
	})
}
