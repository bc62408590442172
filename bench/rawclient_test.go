package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/go-qtests/qtests/qtests/load"
)

// A rawConn is a client that does what this comparison needs and no more: it sends the same
// request again and again, and reads an answer that says how long it is.
type rawConn struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func dialRaw(target string) (*rawConn, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return &rawConn{conn, bufio.NewReader(conn), []byte("GET / HTTP/1.1\r\nHost: " + u.Host + "\r\n\r\n")}, nil
}

// get sends the request and reads the answer.
func (c *rawConn) get() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200 ") {
		return fmt.Errorf("the answer is %q", status)
	}
	for length := -1; ; {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), ":")
		switch {
		case name == "" && length < 0:
			return errors.New("the answer does not say how long it is")
		case name == "":
			_, err := c.in.Discard(length)
			return err
		case textproto.CanonicalMIMEHeaderKey(name) == "Content-Length":
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
}

// loadRaw is package load with a connection for each user.
func loadRaw(j job) (out outcome, err error) {
	var mu sync.Mutex
	conns := map[uint64]*rawConn{}
	defer func() {
		for _, c := range conns {
			err = errors.Join(err, c.conn.Close())
		}
	}()
	of := func(id uint64) (*rawConn, error) {
		mu.Lock()
		defer mu.Unlock()
		if c := conns[id]; c != nil {
			return c, nil
		}
		c, err := dialRaw(j.URL)
		if err == nil {
			conns[id] = c
		}
		return c, err
	}
	return j.run(func(_ context.Context, u *load.User) error {
		c, err := of(uint64(u.ID()))
		if err == nil {
			err = c.get()
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
}
