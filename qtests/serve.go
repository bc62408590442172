package qtests

import (
	"context"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
)

// A Server is a real net/http server and a client for it, joined in memory, so
// that fake time passes while a request is served. Its methods are safe for
// concurrent use.
type Server struct {
	// URL is the base of every request, "http://server.memory", without a
	// slash at its end.
	URL string

	listener *Listener
	server   *http.Server
	client   *http.Client
	served   chan struct{}
	once     sync.Once
}

// Serve starts an HTTP/1.1 server for handler inside the bubble and closes it
// when the test ends. What the server logs goes to the test's log.
func (q *T) Serve(handler http.Handler) *Server {
	s := &Server{
		URL:      "http://server.memory",
		listener: Listen(q.clock, "server.memory:80"),
		served:   make(chan struct{}),
	}
	s.server = &http.Server{Handler: handler, ErrorLog: log.New(logWriter{q}, "", 0)}
	s.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.listener.Dial(ctx) },
		// The default of 2 idle connections would dial anew for nearly every
		// request of a load scenario.
		MaxIdleConnsPerHost: 100_000,
	}}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(s.listener) // always ErrServerClosed: the listener fails only when closed
	}()
	q.Cleanup(s.Close)
	return s
}

// Client returns the client. It reaches this server whatever the host of the
// URL, keeps connections alive, and sets no timeout: set one in the context of a
// request, or copy the client and set its Timeout.
func (s *Server) Client() *http.Client { return s.client }

// Listener returns the server's listener, for clients other than net/http's.
func (s *Server) Listener() *Listener { return s.listener }

// HTTPServer returns the server, to set its timeouts before the first request,
// or to shut it down in the middle of a test.
func (s *Server) HTTPServer() *http.Server { return s.server }

// Close ends the server at once: it closes every connection, which ends the
// context of every request being served, and returns when the server has
// stopped accepting. A handler that goes on is reported as a leak. Closing twice
// is harmless.
func (s *Server) Close() {
	s.once.Do(func() {
		_ = s.server.Close() // closes memory only, which cannot fail
		s.client.CloseIdleConnections()
		<-s.served
	})
}

// logWriter hands lines to the log of a test.
type logWriter struct{ t TB }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Logf("%s", strings.TrimRight(string(line), "\n"))
	return len(line), nil
}
