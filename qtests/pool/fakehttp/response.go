package fakehttp

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// complete turns what a responder, or a fault, answers into what http.Transport would
// return for it.
func (x *exchange) complete(from *http.Response) (*http.Response, error) {
	code := from.StatusCode
	if code < 200 && code != http.StatusSwitchingProtocols || code > 999 {
		closeBody(from)
		return nil, fmt.Errorf("%s: the responder answered with the status %d, which is none", x.route.stub.scope.What, code)
	}
	to := x.own(from)
	to.Request, to.Header = x.req, canonical(from.Header)
	to.Status = statusLine(code, from.Status)
	if to.ProtoMajor == 0 {
		to.Proto, to.ProtoMajor, to.ProtoMinor = "HTTP/1.1", 1, 1
	}
	if to.TLS == nil {
		to.TLS = tlsState(x.req)
	}
	to.Close = x.closesAfter(to)
	x.closes = x.closes || to.Close
	trailer := declare(to, from.Trailer)
	x.gzip = x.gzip && strings.EqualFold(first(to.Header, "Content-Encoding"), "gzip")
	x.measure(to)
	x.deliver(to, trailer)
	return to, nil
}

// own returns a response that may be changed, and makes its body. A responder's own
// response stays as it is: it may be used again. So it is copied, in one allocation with the
// body. What a canned one returns is a copy already.
func (x *exchange) own(from *http.Response) *http.Response {
	if x.route.stub.canned {
		x.body = &body{}
		return from
	}
	both := &struct {
		resp http.Response
		body body
	}{resp: *from}
	x.body = &both.body
	return &both.resp
}

// closesAfter reports whether the connection ends with the response, because of its
// "Connection: close", which it takes out, or because HTTP/1.0 keeps none open.
func (x *exchange) closesAfter(resp *http.Response) bool {
	said := func(token string) bool {
		return slices.ContainsFunc(resp.Header["Connection"], func(v string) bool {
			return slices.ContainsFunc(strings.Split(v, ","), func(t string) bool {
				return strings.EqualFold(strings.TrimSpace(t), token)
			})
		})
	}
	switch {
	case said("close"):
		delete(resp.Header, "Connection")
		return true
	case resp.ProtoMajor == 1 && resp.ProtoMinor == 0 && !said("keep-alive"):
		return true
	}
	return resp.Close || x.req.Close
}

// measure finds the length of the body, and says it in the header as a server does.
func (x *exchange) measure(resp *http.Response) {
	given := resp.ContentLength
	chunked := resp.Trailer != nil || slices.Contains(resp.TransferEncoding, "chunked") || first(resp.Header, "Transfer-Encoding") != ""
	delete(resp.Header, "Transfer-Encoding")
	resp.TransferEncoding, resp.ContentLength = nil, -1
	held, known := inMemory(resp.Body)
	x.body.memory = known
	var declared uint64
	err := strconv.ErrSyntax // also where there is none: what ParseUint says of "" is made anew each time
	if text := first(resp.Header, "Content-Length"); text != "" {
		declared, err = strconv.ParseUint(strings.TrimSpace(text), 10, 63)
	}
	head := x.req.Method == http.MethodHead
	switch {
	case !bodyAllowed(resp.StatusCode):
		resp.ContentLength = 0
	case chunked:
	case err == nil:
		resp.ContentLength = int64(declared)
	case given > 0:
		resp.ContentLength = given
	case known && (held > 0 || !head):
		resp.ContentLength = int64(held)
	}
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
	case resp.ContentLength < 0 || !bodyAllowed(resp.StatusCode):
		delete(resp.Header, "Content-Length")
	default:
		x.body.size[0] = strconv.FormatInt(resp.ContentLength, 10)
		resp.Header["Content-Length"] = x.body.size[:]
	}
	if resp.ContentLength < 0 && !head {
		if resp.ProtoMajor == 1 && resp.ProtoMinor == 0 {
			resp.Close, x.closes = true, true // the end of the connection ends the body
		} else {
			resp.TransferEncoding = []string{"chunked"}
		}
	}
}

// deliver hands the connection over to the body, or gives it back if there is none.
func (x *exchange) deliver(resp *http.Response, trailer http.Header) {
	under := resp.Body
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		x.switchProtocols(resp)
		return
	case under == nil, x.req.Method == http.MethodHead, resp.ContentLength == 0:
		closeBody(resp)
		if resp.Trailer != nil && under == nil {
			under = http.NoBody // chunks are announced, and none comes
			break
		}
		resp.Body = http.NoBody
		x.end(true)
		return
	}
	b := newBody(x, under, resp.ContentLength)
	if resp.Trailer != nil {
		to := resp.Trailer
		b.atEnd = func() { maps.Copy(to, canonical(trailer)) }
	}
	resp.Body = b
	if x.gzip {
		delete(resp.Header, "Content-Encoding")
		delete(resp.Header, "Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
		resp.Body = &unzipped{body: b}
	}
	b.watch()
}

// switchProtocols makes the body of a 101 the connection itself: it can be written to,
// and outlives the context of the request.
func (x *exchange) switchProtocols(resp *http.Response) {
	x.closes, x.shared = true, true
	x.unhook()
	x.ctx = withoutEnd(x.ctx)
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	w, _ := resp.Body.(io.Writer)
	resp.Body = &switched{newBody(x, resp.Body, -1), w}
}
