package fakehttp

import (
	"cmp"
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/statusline"
)

// This file has what net/http does with requests and responses, and keeps to itself.

// operation names what a request asks for.
func operation(req *http.Request) string { return methodOf(req) + " " + req.URL.Path }

func methodOf(req *http.Request) string { return cmp.Or(req.Method, http.MethodGet) }

// asksForGzip reports whether http.Transport asks for gzip on behalf of the request.
func asksForGzip(req *http.Request) bool {
	return first(req.Header, "Accept-Encoding") == "" && first(req.Header, "Range") == "" && !strings.EqualFold(req.Method, http.MethodHead)
}

// tlsState is the state of the connection of a https request.
func tlsState(req *http.Request) *tls.ConnectionState {
	if req.URL.Scheme != "https" {
		return nil
	}
	return &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: req.URL.Hostname()}
}

// informational reports whether a status is followed by another one in the same exchange.
func informational(code int) bool {
	return code >= 100 && code <= 199 && code != http.StatusSwitchingProtocols
}

// statusLine returns the status as a server sends it, "503 Service Unavailable". A
// responder may have left it out, or have given the code alone, as those of httpmock do.
func statusLine(code int, given string) string {
	if known := statusline.Of(code); known != "" && (given == "" || given == known || given == known[:3]) {
		return known
	}
	number := strconv.Itoa(code)
	text := strings.TrimSpace(strings.TrimPrefix(given, number))
	if text == "" {
		text = http.StatusText(code)
	}
	if text == "" {
		text = "status code " + number
	}
	return number + " " + text
}

// canonical returns a copy of a header with canonical names.
func canonical(from http.Header) http.Header {
	to := make(http.Header, len(from)+1)
	for name, values := range from {
		name = textproto.CanonicalMIMEHeaderKey(name)
		to[name] = append(to[name], values...)
	}
	return to
}

// first returns the first value of a name, which is canonical, of a header whose names are.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func bodyAllowed(code int) bool {
	return code >= 200 && code != http.StatusNoContent && code != http.StatusNotModified
}

// declare replaces the trailer of a response by its names: the values come with the end
// of the body. It returns where they come from.
func declare(resp *http.Response, from http.Header) http.Header {
	names := slices.Collect(maps.Keys(from))
	for _, list := range resp.Header["Trailer"] {
		names = append(names, strings.Split(list, ",")...)
	}
	delete(resp.Header, "Trailer")
	resp.Trailer = nil
	for _, name := range names {
		if name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)); name != "" {
			if resp.Trailer == nil {
				resp.Trailer = http.Header{}
			}
			resp.Trailer[name] = nil
		}
	}
	return from
}

func newTextResponse(code int, text string) *http.Response {
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:   io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)),
	}
}

func closeBody(resp *http.Response) {
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
}

// inMemory returns how many bytes are left of a body that is known to be in memory, and
// so never blocks.
func inMemory(r io.Reader) (left int, known bool) {
	if r == nil || r == http.NoBody {
		return 0, true
	}
	if t := reflect.TypeOf(r); t == plainCloser || t == writingCloser {
		r, _ = reflect.ValueOf(r).Field(0).Interface().(io.Reader)
	}
	l, known := r.(interface{ Len() int })
	if !known {
		return 0, false
	}
	return l.Len(), true
}

// The types of io.NopCloser, which net/http looks into as well.
var (
	plainCloser   = reflect.TypeOf(io.NopCloser(struct{ io.Reader }{}))
	writingCloser = reflect.TypeOf(io.NopCloser(strings.NewReader("")))
)
