package fakehttp

import (
	"io"
	"net"
	"time"
)

// A conn is a connection to a host. It is open, and carries nothing by itself: it is a
// net.Conn for the hooks of package httptrace. The holder of the lease has it.
type conn struct {
	address string
	uses    int           // leases before the present one
	since   time.Duration // end of its last use: see sinceOpen
}

func (c *conn) Read([]byte) (int, error)         { return 0, io.EOF }
func (c *conn) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (c *conn) Close() error                     { return nil }
func (c *conn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: localhost} }
func (c *conn) RemoteAddr() net.Addr             { return address(c.address) }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

var localhost = net.IPv4(127, 0, 0, 1)

// An address is "host:port".
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
