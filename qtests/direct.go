package qtests

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

// Direct returns a client whose requests call handler without a connection in
// between, in a goroutine of their own, for scenarios of many requests. One with an
// answer of up to 4 KiB takes about a third of what it takes through [T.Serve], besides
// what the handler itself takes; a longer answer is handed on piece by piece as it is
// there, and gains little (BenchmarkRequest shows both). It reaches handler whatever the host of the URL. Like
// the client of Serve it is an ordinary *http.Client, with redirects, cookies if
// given a Jar, and a Timeout; it may be copied, and used by many goroutines.
//
// Handler and client see what net/http would show them over HTTP/1.1:
//
//   - Bodies stream both ways. Up to 64 KiB wait in either direction before a
//     writer blocks, durably. A handler may read on after it began to answer, as
//     after EnableFullDuplex.
//   - What a handler writes reaches the client when it is flushed, when there are
//     more than 4 KiB of it, or when the handler returns. A body of up to 2 KiB
//     gets a Content-Length, one without Content-Type is sniffed, and trailers work.
//   - The request's context ends when that of the client does, when the client
//     closes the body before its end, and when the handler has returned. It has
//     neither values nor the deadline of the client's context.
//   - The first three panics are logged, save for http.ErrAbortHandler, and at the end
//     how many there were. Like a Goexit, a panic breaks the response off: the client gets io.EOF, or io.ErrUnexpectedEOF in a body.
//   - A handler that ignores its context when the client is gone goes on, and is
//     reported as a leak when it outlives the test.
//
// What needs a connection is missing: Hijack fails with http.ErrNotSupported, as
// do the deadlines of http.ResponseController; responses of status 1xx but 101 are
// ignored; the client neither offers gzip nor repeats a request that broke off. A
// write after the handler returned fails.
func (q *T) Direct(handler http.Handler) *http.Client {
	if handler == nil {
		handler = http.DefaultServeMux
	}
	return &http.Client{Transport: &directTransport{handler: handler, log: newServerLog(q), clk: q.clock}}
}

// directTransport is the http.RoundTripper of Direct.
type directTransport struct {
	handler http.Handler
	log     *serverLog
	clk     clock.Clock
}

// pause lets what else is due at this instant happen first.
func (d *directTransport) pause() { <-d.clk.After(0) }

// RoundTrip implements http.RoundTripper.
func (d *directTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	bubble.CheckContext(d.clk, ctx)
	if ctx.Err() != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, context.Cause(ctx)
	}
	w := newDirectResponse(d, req)
	go d.serve(w)
	select {
	case <-w.ready:
	case <-ctx.Done():
		select {
		case <-w.ready: // both are: never at random
		default:
			w.abort(context.Cause(ctx))
			// The deadline of the context and the timer of Client.Timeout end at the
			// same instant; the client's error says which only if the latter was seen.
			d.pause()
			return nil, context.Cause(ctx)
		}
	}
	w.follow(ctx)
	return w.resp, w.err
}

// serve runs the handler and ends the response, whatever the handler does.
func (d *directTransport) serve(w *directResponse) {
	returned := false
	defer func() {
		r := recover()
		if r != nil && r != http.ErrAbortHandler {
			d.log.panicked(w.req.RemoteAddr, r)
		}
		w.finish(returned)
	}()
	d.handler.ServeHTTP(w, w.req)
	returned = true
}

var blankRequest http.Request

// directRequest is what a server would have made of the client's request.
func directRequest(ctx context.Context, req *http.Request, body *directUpload) *http.Request {
	r := blankRequest.WithContext(ctx)
	r.Method = req.Method
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.URL = &url.URL{
		Path: req.URL.Path, RawPath: req.URL.RawPath,
		RawQuery: req.URL.RawQuery, ForceQuery: req.URL.ForceQuery,
	}
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	r.RequestURI = req.URL.RequestURI()
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.RemoteAddr = "192.0.2.1:1234" // of the block for documentation, as httptest has it
	if r.Host = req.Host; r.Host == "" {
		r.Host = req.URL.Host
	}
	if r.Header = req.Header.Clone(); r.Header == nil {
		r.Header = http.Header{}
	}
	if agent, given := r.Header["User-Agent"]; !given {
		r.Header["User-Agent"] = userAgent
	} else if len(agent) > 0 && agent[0] == "" {
		delete(r.Header, "User-Agent")
	}
	r.Body = http.NoBody
	if body != nil {
		r.Body, r.ContentLength = body, req.ContentLength
		if r.ContentLength <= 0 {
			r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
		}
		r.Trailer = req.Trailer
	}
	writes := r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
	if r.ContentLength > 0 || r.ContentLength == 0 && writes {
		r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	return r
}

// userAgent is what net/http's transport sends.
var userAgent = []string{"Go-http-client/1.1"}
