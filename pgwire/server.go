package pgwire

import (
	"context"
	"net"
	"sync"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
	"github.com/go-qtests/qtests/qtests/wire"
)

// address is of the block that is set aside for documentation: a name would be looked up by clients.
const address = "192.0.2.1:5432"

// A Server is a fake database on the wire. Its methods are safe for concurrent use.
type Server struct {
	db    *fakesql.Fake
	hosts *wire.Hosts
	link  *wire.Link

	mu struct {
		sync.Mutex
		sessions map[uint32]*session
		last     uint32 // number of a session, which is its process id and its key
		closed   bool
	}
	all sync.WaitGroup // sessions
}

// NewT serves db until the test ends.
func NewT(q *qtests.T, db *fakesql.Fake) *Server {
	q.Helper()
	s := &Server{db: db, hosts: wire.NewHosts(q)}
	s.mu.sessions = map[uint32]*session{}
	s.link = s.hosts.Serve(address, func(l net.Listener) error { return s.serve(q, l) }, s.close)
	return s
}

// URL is what clients connect to, without TLS and password. Its host is an address that only [Server.Dial] reaches.
func (s *Server) URL() string { return "postgres://test@" + address + "/test?sslmode=disable" }

// Dial connects to the server, whatever the address. It has the form of pgconn.Config.DialFunc.
func (s *Server) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return s.hosts.Dial(ctx, network, address)
}

// Link is the way from the clients to the server, for the faults of package wire.
func (s *Server) Link() *wire.Link { return s.link }

// serve accepts connections until the listener is closed.
func (s *Server) serve(q *qtests.T, l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		c := s.enter(conn)
		if c == nil {
			_ = conn.Close() // the test has ended
			continue
		}
		q.Go(func() {
			defer s.leave(c)
			c.run()
		})
	}
}

// enter registers a connection, unless the server is closed.
func (s *Server) enter(conn net.Conn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil
	}
	s.mu.last++
	c := newSession(s, conn, s.mu.last)
	s.mu.sessions[c.number] = c
	s.all.Add(1)
	return c
}

// leave ends a connection, also when code of the user has panicked in it.
func (s *Server) leave(c *session) {
	c.end()
	s.mu.Lock()
	delete(s.mu.sessions, c.number)
	s.mu.Unlock()
	s.all.Done()
}

// cancel ends the statement that runs in a session, if it is there.
func (s *Server) cancel(number uint32) {
	s.mu.Lock()
	c := s.mu.sessions[number]
	s.mu.Unlock()
	if c != nil {
		c.interrupt()
	}
}

// close breaks all connections, in the order in which they were made, and waits for them.
func (s *Server) close() {
	s.mu.Lock()
	s.mu.closed = true
	var open []*session
	for number := uint32(1); number <= s.mu.last; number++ {
		if c := s.mu.sessions[number]; c != nil {
			open = append(open, c)
		}
	}
	s.mu.Unlock()
	for _, c := range open {
		c.shut()
	}
	s.all.Wait()
}
