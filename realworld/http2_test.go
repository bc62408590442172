//lint:file-ignore SA1019 the module is deprecated in favour of net/http, in wide use, and what is under test

//nolint:staticcheck // the same, for golangci-lint
package realworld

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/go-qtests/qtests/qtests"
)

// Requests that share a connection, which the outage breaks.
func TestHTTP2(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		listener := qtests.Listen(q.Clock(), "http2.memory:80")
		var conns sync.WaitGroup
		conns.Go(func() { serveHTTP2(listener, backend(log), &conns) })
		network := newCable(q, log, listener.Dial)
		transport := &http2.Transport{
			AllowHTTP:       true,
			ReadIdleTimeout: 10 * time.Second,
			DialTLSContext: func(ctx context.Context, _, _ string, _ *tls.Config) (net.Conn, error) {
				return network.Dial(ctx)
			},
		}
		client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
		load(log, func(i int) string {
			return get(client, fmt.Sprintf("http://http2.memory/%d", i))
		})
		transport.CloseIdleConnections()
		_ = listener.Close()
		conns.Wait()
	})
}

func serveHTTP2(listener net.Listener, handler http.Handler, conns *sync.WaitGroup) {
	server := &http2.Server{}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conns.Go(func() { server.ServeConn(conn, &http2.ServeConnOpts{Handler: handler}) })
	}
}
