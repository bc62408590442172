package direct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
)

// ErrHandlerReturned is what a write to the response gets after its handler has returned.
var ErrHandlerReturned = errors.New("qtests: write to the response after its handler has returned")

var (
	errClientGone = fmt.Errorf("qtests: the client is gone: %w", syscall.EPIPE)
	errReadClosed = errors.New("http: read on closed response body") // net/http's, which it keeps to itself
)

// upload is the request's body as the handler reads it.
type upload struct {
	client io.ReadCloser
	pipe   *memnet.Half // nil where the body is in memory and read in place
	closed atomic.Bool
	once   sync.Once // closes client
}

// newUpload returns nil for a request without a body.
func newUpload(req *http.Request) *upload {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	u := &upload{client: req.Body}
	if req.GetBody != nil {
		return u // of bytes or a string: no read of it blocks
	}
	// A transport reads the body in a goroutine of its own. So does this, in pump,
	// because a handler must not be stuck in a body that neither comes nor ends.
	u.pipe = memnet.NewHalf(nil)
	return u
}

// pump reads the client's body ahead of the handler. If the body cannot be read to its end,
// pump calls failed with the reason; failed has to end the request.
func (u *upload) pump(failed func(error)) {
	if err := u.copyBody(); err != nil {
		// Before the handler sees the end: what it answers then is not read.
		failed(err)
		return
	}
	u.pipe.EndWrites(errClientGone, io.EOF)
	u.closeClient()
}

// copyBody returns nil where the body is complete, or the handler reads no more.
func (u *upload) copyBody() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("qtests: panic in the body of a request: %v\n%s", r, debug.Stack())
		}
	}()
	p := make([]byte, memnet.SmallBuffer)
	for {
		n, err := u.client.Read(p)
		if _, gone := u.pipe.Write(p[:n]); gone != nil || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (u *upload) closeClient() { u.once.Do(func() { _ = u.client.Close() }) }

// Read is the handler's.
func (u *upload) Read(p []byte) (n int, err error) {
	switch {
	case u.closed.Load():
		return 0, http.ErrBodyReadAfterClose
	case u.pipe == nil:
		return u.client.Read(p)
	}
	n, err = u.pipe.Read(p)
	if err != nil && u.closed.Load() {
		err = http.ErrBodyReadAfterClose
	}
	return n, err
}

// Close is called by the handler, and at the end of the request.
func (u *upload) Close() error {
	u.closed.Store(true)
	if u.pipe != nil {
		u.pipe.EndReads(time.Time{})
	}
	u.closeClient()
	return nil
}

// breakOff ends the body under a handler that reads it.
func (u *upload) breakOff() {
	if u.pipe != nil {
		u.pipe.EndWrites(errClientGone, io.ErrUnexpectedEOF)
	}
	u.closeClient()
}

// download is the response's body as the client reads it.
type download struct {
	ctx    context.Context // the client's
	w      *response
	data   []byte       // unread part of a body that is complete
	end    error        // what comes behind data
	stream *memnet.Half // otherwise
	closed atomic.Bool
	ended  atomic.Bool
}

func (d *download) Read(p []byte) (n int, err error) {
	switch {
	case d.closed.Load():
		return 0, errReadClosed
	case !d.ended.Load() && d.ctx.Err() != nil:
		d.w.t.pause() // as in RoundTrip
		return 0, context.Cause(d.ctx)
	case d.stream != nil:
		n, err = d.stream.Read(p)
	default:
		n = copy(p, d.data)
		if d.data = d.data[n:]; len(d.data) == 0 {
			err = d.end
		}
	}
	if err != nil {
		err = d.endOf(err)
	}
	return n, err
}

// endOf takes note that the body has ended with err, and returns what the client is told.
func (d *download) endOf(err error) error {
	if d.ended.Store(true); err == io.EOF {
		d.w.takeTrailer()
	}
	if cause := context.Cause(d.ctx); err == errClientGone && cause != nil {
		d.w.t.pause()
		return cause
	}
	return err
}

// Close of an unfinished body is the client's leaving.
func (d *download) Close() error {
	if !d.closed.Swap(true) && d.stream != nil {
		d.stream.EndReads(time.Time{})
		if !d.ended.Load() {
			d.w.abort(errReadClosed)
		}
	}
	return nil
}
