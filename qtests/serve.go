package qtests

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/openconns"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
)

// A Server is a real net/http server and a client for it, joined in memory, so
// that fake time passes while a request is served. Its methods are safe for
// concurrent use.
type Server struct {
	// URL is the base of every request, "http://server.memory", without a
	// slash at its end. Only [Server.Client] reaches it: http.Get and other users of
	// http.DefaultTransport are told so.
	URL string

	listener *Listener
	server   *http.Server
	client   *http.Client
	served   chan struct{}
	clock    clock.Clock
	once     sync.Once
	conns    openconns.Count
}

// serverHost is the host of every server in memory.
const serverHost = "server.memory"

// errInMemory is what http.Get says of a server in memory, instead of that there is
// no such host.
var errInMemory = errors.New("qtests: " + serverHost + " is a server in memory, which no socket reaches: use server.Client(), or for other clients the Dial of server.Listener()")

// The default transport is told at the start of the process, when nobody uses it yet.
func init() {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok || transport.DialContext == nil {
		return
	}
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(addr); err == nil && host == serverHost {
			return nil, errInMemory
		}
		return dial(ctx, network, addr)
	}
}

// lingers is longer than net/http's server lets a connection linger whose request
// it did not read to the end (half a second).
const lingers = time.Second

// Serve starts a server for handler inside the bubble and closes it when the test ends. It
// speaks HTTP/1.1, and HTTP/2 without TLS with clients that begin with it, as the Transport2 of
// package wire. What the server logs goes to the test's log: of each
// kind of line the first three, and at the end how many there were. A panic of the
// handler, other than http.ErrAbortHandler, fails the test and names the line: see [AllowPanics].
func (q *T) Serve(handler http.Handler) *Server {
	s := &Server{
		URL:      "http://" + serverHost,
		listener: Listen(q.clock, serverHost+":80"),
		served:   make(chan struct{}),
		clock:    q.clock,
	}
	s.server = &http.Server{Handler: handler, ErrorLog: log.New(serverlog.New(q, nil), "", 0), ConnState: s.conns.Track, Protocols: new(http.Protocols)}
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	s.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.listener.Dial(ctx) },
		// The default of 2 idle connections would dial anew for nearly every
		// request of a load scenario.
		MaxIdleConnsPerHost: 100_000,
		// As http.DefaultTransport has it: how long to wait for "100 Continue".
		ExpectContinueTimeout: time.Second,
	}}
	accepting := make(chan struct{})
	go func() {
		defer close(s.served)
		l := &announcingListener{Listener: s.listener, accepting: accepting}
		_ = s.server.Serve(l) // always ErrServerClosed: the listener fails only when closed
	}()
	<-accepting
	q.Cleanup(s.Close)
	return s
}

// announcingListener closes accepting when the server first waits for a client:
// it has read its configuration by then, and does so again for each connection, so
// that the caller of Serve may set timeouts.
type announcingListener struct {
	*Listener
	once      sync.Once
	accepting chan struct{}
}

func (l *announcingListener) Accept() (net.Conn, error) {
	l.once.Do(func() { close(l.accepting) })
	return l.Listener.Accept()
}

// Client returns the client. It reaches this server whatever the host of the
// URL, keeps connections alive, and sets no timeout: set one in the context of a
// request, or copy the client and set its Timeout.
func (s *Server) Client() *http.Client { return s.client }

// Listener returns the server's listener, for clients other than net/http's.
func (s *Server) Listener() *Listener { return s.listener }

// HTTPServer returns the server, to set its timeouts before the first request, or
// to Shutdown in the middle of a test. Its ConnState is in use, by Close.
func (s *Server) HTTPServer() *http.Server { return s.server }

// Close ends the server at once: it closes every connection, in the order in which they were
// opened. That ends the context of every request being served. Then it waits for the handlers to
// return, at most a second: net/http itself lets a connection linger for half a second whose
// request was not read to the end. Only then does time pass. A handler that goes on
// after that is reported as a leak. Closing twice is harmless.
func (s *Server) Close() {
	s.once.Do(func() {
		_ = s.listener.Close() // first, so that nobody dials anew
		s.conns.Close()
		_ = s.server.Close() // closes memory only, which cannot fail
		s.client.CloseIdleConnections()
		<-s.served
		s.conns.Wait(s.clock, lingers)
	})
}
