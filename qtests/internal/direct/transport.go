// Package direct is the http.RoundTripper that calls a handler without a connection in
// between, and the http.ResponseWriter that it gives to the handler: those of
// (*qtests.T).Direct, which says what they promise.
package direct

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// Transport is the http.RoundTripper of Direct.
type Transport struct {
	handler http.Handler
	Log     *serverlog.Log // of the handler
	clk     clock.Clock
	dated   atomic.Pointer[date] // the latest
}

// NewTransport returns the transport of a client whose requests call handler. Panics
// of the handler go to log.
func NewTransport(clk clock.Clock, handler http.Handler, log *serverlog.Log) *Transport {
	return &Transport{handler: handler, Log: log, clk: clk}
}

// pause lets what else is due at this instant happen first.
func (d *Transport) pause() { <-d.clk.After(0) }

// RoundTrip implements http.RoundTripper.
func (d *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	bubble.CheckContext(ctx, d.clk)
	if ctx.Err() != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, context.Cause(ctx)
	}
	w := newResponse(d, req)
	go d.serve(w)
	if !w.wait(ctx) {
		w.abort(context.Cause(ctx))
		// The deadline of the context and the timer of Client.Timeout end at the
		// same instant; the client's error says which only if the latter was seen.
		d.pause()
		return nil, context.Cause(ctx)
	}
	w.follow(ctx)
	return w.resp, w.err
}

// wait reports whether there is a response, or an error, before the client's context ends. Where both
// are there it is true, never at random.
func (w *response) wait(ctx context.Context) bool {
	done := ctx.Done()
	if done == nil {
		<-w.ready // a select of one channel costs twice as much
		return true
	}
	select {
	case <-w.ready:
		return true
	case <-done:
	}
	select {
	case <-w.ready:
		return true
	default:
		return false
	}
}

// serve runs the handler and ends the response, whatever the handler does.
func (d *Transport) serve(w *response) {
	usercode.Room()
	returned := false
	defer func() {
		r := recover()
		if r != nil && r != http.ErrAbortHandler {
			d.Log.Panicked(w.req.RemoteAddr, r)
		}
		w.finish(returned)
	}()
	d.handler.ServeHTTP(w, w.req)
	returned = true
}

var blankRequest http.Request

// requestOf is what a server would have made of the client's request.
func (w *response) requestOf(ctx context.Context) *http.Request {
	req, body := w.client, w.upload
	own := &struct {
		request http.Request
		url     url.URL
	}{request: *blankRequest.WithContext(ctx)}
	r := &own.request
	r.Method = req.Method
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.URL = &own.url
	own.url = url.URL{
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
	r.Header = headerOf(req.Header)
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

// headerOf is what of a client's header crosses a wire: lists of nothing do not, nor does more than one user agent.
func headerOf(sent http.Header) http.Header {
	h := sent.Clone()
	if h == nil {
		h = http.Header{}
	}
	if agents, given := h["User-Agent"]; !given {
		h["User-Agent"] = userAgent
	} else if first(h, "User-Agent") == "" {
		delete(h, "User-Agent")
	} else {
		h["User-Agent"] = agents[:1]
	}
	for name, values := range h {
		if len(values) == 0 {
			delete(h, name)
		}
	}
	return h
}

// userAgent is what net/http's transport sends.
var userAgent = []string{"Go-http-client/1.1"}
