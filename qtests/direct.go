package qtests

import (
	"net/http"

	"github.com/go-qtests/qtests/qtests/internal/direct"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
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
//   - The request's context ends when the client's context does, when the client
//     closes the body before its end, and when the handler has returned. It has
//     neither values nor the deadline of the client's context.
//   - A panic fails the test and names the line, unless [AllowPanics] allows it or it is
//     http.ErrAbortHandler. The first three are logged, and at the end how many there were. Like a Goexit, a panic breaks the response off: the client gets io.EOF, or io.ErrUnexpectedEOF in a body.
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
	return &http.Client{Transport: direct.NewTransport(q.clock, handler, serverlog.New(q, nil))}
}
