package wire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// greet answers each connection with a line, until its listener is closed.
func greet(line string) func(net.Listener) error {
	return func(l net.Listener) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(c, line)
			_ = c.Close()
		}
	}
}

func hear(ctx context.Context, h *wire.Hosts, addr string) (string, error) {
	c, err := h.DialAddr(ctx, addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	return bufio.NewReader(c).ReadString('\n')
}

func TestHostsServe(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		hosts := wire.NewHosts(q)
		stops := 0
		q.Cleanup(func() { require.Equal(q, 1, stops) })
		a := hosts.Serve("a:1", greet("a"), func() { stops++ })
		hosts.Serve("b:1", greet("b"), nil)
		require.Equal(q, "a:1", a.Name())
		require.Same(q, a, hosts.Link("a:1"))
		late, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), a.Latency(wire.Both, latency.Fixed(20*ms)))
		require.NoError(q, err)
		defer func() { _ = late() }()
		q.Sleep(ms)

		began := q.Clock().Now()
		line, err := hear(q.Context(), hosts, "a:1")
		require.NoError(q, err)
		require.Equal(q, "a\n", line)
		require.Equal(q, 40*ms, q.Clock().Since(began).Round(ms), "the dial takes 20 ms each way; the line came meanwhile")
		began = q.Clock().Now()
		line, err = hear(q.Context(), hosts, "b:1")
		require.NoError(q, err)
		require.Equal(q, "b\n", line)
		require.Less(q, q.Clock().Since(began), ms, "the fault concerns one address")
	})
}

func TestHostsUnknownAndGone(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		hosts := wire.NewHosts(q)
		l, err := hosts.Listen("tcp", "127.0.0.1:0")
		require.NoError(q, err)
		require.Equal(q, "127.0.0.1:40001", l.Addr().String())
		_, err = hosts.Listen("tcp", "127.0.0.1:40001")
		require.ErrorIs(q, err, syscall.EADDRINUSE)
		_, err = hosts.DialAddr(q.Context(), "c:1")
		var unknown *net.DNSError
		require.ErrorAs(q, err, &unknown)
		require.True(q, unknown.IsNotFound)
		require.ErrorContains(q, err, "there are: 127.0.0.1:40001")
		require.NoError(q, l.Close())
		_, err = hosts.DialAddr(q.Context(), "127.0.0.1:40001")
		require.ErrorIs(q, err, syscall.ECONNREFUSED)

		again, err := hosts.Listen("tcp", "127.0.0.1:40001") // a restart
		require.NoError(q, err)
		require.NoError(q, l.Close(), "of the one before")
		q.Go(func() { _ = greet("again")(again) })
		line, err := hear(q.Context(), hosts, "127.0.0.1:40001")
		require.NoError(q, err)
		require.Equal(q, "again\n", line)
		require.NoError(q, again.Close())
	})
}

// A server that ends by itself is told of, and refuses.
func TestHostsServerEnds(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		hosts := wire.NewHosts(q)
		hosts.Serve("a:1", func(net.Listener) error { return errors.New("no key") }, nil)
		q.Sleep(ms)
		_, err := hosts.DialAddr(q.Context(), "a:1")
		require.ErrorIs(q, err, syscall.ECONNREFUSED)
		var l net.Listener
		l, err = hosts.Listen("tcp", "a:1")
		require.NoError(q, err)
		require.NoError(q, l.Close())
	})
}

// Requests of HTTP/1.1 and of HTTP/2 reach one server of q.Serve, over the link of its address.
func TestHostsTransports(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		hosts := wire.NewHosts(q)
		server := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
		link := hosts.Add("shop.memory:80", server.Listener().Dial)
		for _, c := range []struct {
			transport *http.Transport
			proto     string
		}{{hosts.Transport(), "HTTP/1.1"}, {hosts.Transport2(), "HTTP/2.0"}} {
			client := &http.Client{Transport: c.transport, Timeout: time.Minute}
			for range 3 {
				resp, err := client.Get("http://shop.memory/")
				require.NoError(q, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(q, err)
				require.NoError(q, resp.Body.Close())
				require.Equal(q, c.proto, string(body))
			}
		}
		require.Equal(q, 2, link.Open(), "one connection for each protocol")
		_, err := (&http.Client{Transport: hosts.Transport()}).Get("http://other.memory/")
		require.ErrorContains(q, err, "there are: shop.memory:80")
	})
}
