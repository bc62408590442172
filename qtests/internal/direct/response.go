package direct

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path"
	"runtime"
	"strconv"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/internal/statusline"
)

// What net/http's server keeps back: Length is how long a body may be to get
// a Content-Length, Hold how much of it waits for a flush.
const (
	Length = 2048
	Hold   = 4096
)

// response is the http.ResponseWriter of Direct. The handler's goroutine
// writes, the client's waits for ready and reads resp and err behind it.
type response struct {
	t      *Transport
	req    *http.Request // as the handler sees it
	client *http.Request
	cancel context.CancelFunc // of req's context
	upload *upload            // nil for a request without a body

	ready chan struct{}
	resp  *http.Response
	err   error

	// own is what every request needs for its response, as values: most of what one costs is
	// what it allocates. What tests keep has its own place, so that it does not keep the rest:
	// the handler's request, and the headers.
	own struct {
		resp     http.Response
		download download
	}
	values *[3]string // of headers

	// mu is never held while a write waits for the client.
	mu       sync.Mutex
	header   http.Header  // the handler's
	status   int          // 0 until the header is written
	sent     http.Header  // the client's, a copy made when the header is written
	fixed    bool         // no header is added to sent any more
	length   int64        // the Content-Length, or -1
	written  int64        // what the handler tried to write
	accepted int64        // what fitted into length
	pending  []byte       // written and not on its way to the client yet
	stream   *memnet.Half // the way, once there is one
	trailers []string     // declared
	trailer  http.Header  // complete once done
	answered bool         // resp or err is set
	done     bool         // the handler has returned
	unfollow func() bool
}

func newResponse(t *Transport, req *http.Request) *response {
	// Not derived from the client's context: neither its values nor its deadline
	// cross a wire.
	ctx, cancel := context.WithCancel(context.Background())
	w := &response{t: t, client: req, cancel: cancel, ready: make(chan struct{}), header: http.Header{}, length: -1}
	w.upload = newUpload(req)
	w.req = w.requestOf(ctx)
	if w.upload != nil && w.upload.pipe != nil {
		go w.upload.pump(w.abort)
	}
	return w
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(code int) {
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", code))
	}
	w.mu.Lock()
	again := w.status != 0
	if !again && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.writeHeaderLocked(code)
	}
	w.mu.Unlock()
	if again {
		f := directCaller()
		fmt.Fprintf(w.t.Log, "http: superfluous response.WriteHeader call from %s (%s:%d)", f.Function, path.Base(f.File), f.Line)
	}
}

func (w *response) writeHeaderLocked(code int) {
	w.status, w.sent = code, w.header.Clone()
	if text := first(w.sent, "Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && n >= 0 {
			w.length = n
		}
	}
}

// beginLocked writes the header of a handler that has not: its status is 200.
func (w *response) beginLocked() {
	if w.status == 0 {
		w.writeHeaderLocked(http.StatusOK)
	}
}

func (w *response) bodyAllowed() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write implements http.ResponseWriter. It blocks while 64 KiB wait for the client.
func (w *response) Write(p []byte) (int, error) { return directWrite(w, p) }

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) { return directWrite(w, s) }

func directWrite[P []byte | string](w *response, p P) (int, error) {
	w.mu.Lock()
	if w.done {
		w.mu.Unlock()
		return 0, ErrHandlerReturned
	}
	w.beginLocked()
	var err error
	switch {
	case len(p) == 0:
	case !w.bodyAllowed():
		err = http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(len(p)) > w.length:
		w.written += int64(len(p))
		err = http.ErrContentLength
	default:
		w.written += int64(len(p))
		w.accepted += int64(len(p))
		return len(p), directStoreAndUnlock(w, p)
	}
	w.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// directStoreAndUnlock sends p on its way piece by piece, so that a long one needs no
// long buffer of its own, and keeps the end of it pending. It releases mu.
func directStoreAndUnlock[P []byte | string](w *response, p P) error {
	for {
		piece := p[:min(len(p), Hold)]
		p = p[len(piece):]
		w.pending = append(w.pending, piece...)
		if len(w.pending) > Length {
			w.fixLocked(false)
		}
		if len(w.pending) <= Hold {
			if len(p) == 0 {
				w.mu.Unlock()
				return nil
			}
			continue
		}
		if err := w.sendAndUnlock(); err != nil || len(p) == 0 {
			return err
		}
		w.mu.Lock()
		if w.done {
			w.mu.Unlock()
			return ErrHandlerReturned
		}
	}
}

// ReadFrom implements io.ReaderFrom, without which io.Copy would take a buffer of its
// own for every response.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	buffer := memnet.SmallBuffers.Get().(*[memnet.SmallBuffer]byte)
	defer memnet.SmallBuffers.Put(buffer)
	return io.CopyBuffer(struct{ io.Writer }{w}, src, buffer[:])
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *response) FlushError() error {
	w.mu.Lock()
	if w.done {
		w.mu.Unlock()
		return ErrHandlerReturned
	}
	w.beginLocked()
	w.fixLocked(false)
	return w.sendAndUnlock()
}

// EnableFullDuplex is what http.ResponseController calls: it is always on.
func (w *response) EnableFullDuplex() error { return nil }

// Hijack implements http.Hijacker, to say what to do instead.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, fmt.Errorf("qtests: Direct has no connection to take over, use q.Serve: %w", http.ErrNotSupported)
}

// answerLocked makes the response available to the client, which owns resp from
// then on.
func (w *response) answerLocked(body io.ReadCloser) {
	status := statusline.Of(w.status)
	if status == "" {
		status = fmt.Sprintf("%d status code %d", w.status, w.status)
	}
	w.answered = true
	w.resp = &w.own.resp
	*w.resp = http.Response{
		Status:     status,
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.sent,
		Body:          body,
		ContentLength: w.length,
		Request:       w.client,
	}
	switch {
	case !w.bodyAllowed():
		w.resp.Body = http.NoBody
		w.resp.ContentLength = 0
	case w.client.Method == http.MethodHead, w.length == 0:
		w.resp.Body = http.NoBody
	case w.length < 0:
		w.resp.TransferEncoding = []string{"chunked"}
		w.resp.Trailer = w.declaredTrailer()
	}
	close(w.ready)
}

// downloadOf returns the body of the response: a stream, or data with an end behind it.
func (w *response) downloadOf(stream *memnet.Half, data []byte, end error) *download {
	d := &w.own.download
	d.ctx, d.w, d.stream, d.data, d.end = w.client.Context(), w, stream, data, end
	return d
}

// refuseLocked gives the client an error, unless it has a response or an error already.
func (w *response) refuseLocked(err error) {
	if !w.answered {
		w.answered, w.err = true, err
		close(w.ready)
	}
}

// sendAndUnlock sends what is pending on its way, and the header before it. It
// releases mu, because the way may be full.
func (w *response) sendAndUnlock() error {
	if w.stream == nil && !w.answered {
		w.stream = memnet.NewHalf(nil)
		w.answerLocked(w.downloadOf(w.stream, nil, nil))
	}
	stream, p := w.stream, w.pending
	w.pending = nil
	w.mu.Unlock()
	if stream == nil {
		return errClientGone
	}
	if len(p) == 0 || w.client.Method == http.MethodHead {
		return nil
	}
	_, err := stream.Write(p)
	// From here on nothing else uses the array.
	w.mu.Lock()
	if w.pending == nil {
		w.pending = p[:0]
	}
	w.mu.Unlock()
	return err
}

// finish ends the response. returned is false when the handler did not return,
// but panicked or ended its goroutine.
func (w *response) finish(returned bool) {
	end := w.complete(returned)
	if w.upload != nil {
		_ = w.upload.Close()
	}
	w.cancel()
	w.mu.Lock()
	stream, unfollow := w.stream, w.unfollow
	w.mu.Unlock()
	if stream != nil {
		stream.EndWrites(ErrHandlerReturned, end)
	}
	if unfollow != nil {
		unfollow()
	}
}

// complete sends what is left and returns what the client finds behind it.
func (w *response) complete(returned bool) (end error) {
	w.mu.Lock()
	w.done = true
	if !returned {
		w.refuseLocked(io.EOF)
		w.mu.Unlock()
		return io.ErrUnexpectedEOF
	}
	w.beginLocked()
	w.fixLocked(true)
	end = io.EOF
	if w.accepted < w.length {
		end = io.ErrUnexpectedEOF // the client waits for more, and the connection ends
	}
	w.trailer = w.trailerLocked()
	if !w.answered {
		w.answerLocked(w.downloadOf(nil, w.pending, end))
		w.pending = nil
		w.mu.Unlock()
		return end
	}
	_ = w.sendAndUnlock() // a client that is gone misses nothing
	return end
}

// follow ends a response under way when the client's context ends.
func (w *response) follow(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.unfollow = context.AfterFunc(ctx, func() { w.abort(context.Cause(ctx)) })
	}
}

// abort ends the request because its client is gone, or its body broken.
func (w *response) abort(cause error) {
	w.mu.Lock()
	w.refuseLocked(cause)
	stream := w.stream
	w.mu.Unlock()
	w.cancel()
	if w.upload != nil {
		w.upload.breakOff()
	}
	if stream != nil {
		stream.EndWrites(errClientGone, errClientGone)
	}
}

// directCaller returns the frame of the handler that called.
func directCaller() runtime.Frame {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	f, _ := frames.Next()
	return f
}

// takeTrailer completes the client's response, in the client's goroutine, when
// it has read the end of the body.
func (w *response) takeTrailer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.resp.Trailer == nil && len(w.trailer) > 0 {
		w.resp.Trailer = http.Header{}
	}
	maps.Copy(w.resp.Trailer, w.trailer)
}
