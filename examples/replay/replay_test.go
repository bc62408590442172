// Package replay_test sends a recorded access log to a handler, each request at the
// instant at which it came, and compares the answers with the recorded ones.
package replay_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// routes is the handler under test.
func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /prices", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	return mux
}

func TestReplay(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		file, err := os.Open("testdata/access.log")
		require.NoError(q, err)
		defer func() { _ = file.Close() }()
		log, err := accesslog.Read("access.log", file)
		require.NoError(q, err)
		client := q.Direct(routes()) // calls the handler without a connection

		res, err := load.Try(q, load.Scenario{
			Traffic: traffic.Replay(log.Entries), Route: func(e accesslog.Entry) string { return e.Method },
			Do: func(ctx context.Context, u *load.User) error { return same(ctx, client, u.Entry()) },
		})
		require.NoError(q, err)
		require.Zero(q, res.Errors, res)
		require.EqualValues(q, 5, res.Finished)
	})
}

func same(ctx context.Context, client *http.Client, e accesslog.Entry) error {
	req, err := http.NewRequestWithContext(ctx, e.Method, "http://shop.example"+e.Path, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err == nil && resp.StatusCode != e.Status {
		err = fmt.Errorf("status %d, recorded %d", resp.StatusCode, e.Status)
	}
	return err
}
