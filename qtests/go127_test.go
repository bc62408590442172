//go:build go1.27

package qtests

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tb"
)

// The server in memory of go1.27 works in a bubble of Run, with its T: time passes
// while a request is served, and it is closed before the leak check.
func TestNewTestServerInRun(t *testing.T) {
	Run(t, func(q *T) {
		server := httptest.NewTestServer(q, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			q.Clock().Sleep(time.Second)
			_, _ = io.WriteString(w, "hello")
		}))
		resp, err := server.Client().Get("http://shop.example/")
		require.NoError(q, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, "hello", string(body))
		require.Equal(q, time.Second, tb.Round(q.Elapsed()))
	})
}

// What synctest.Sleep promises of package time, T.Sleep does of the clock; both may be
// used in one body.
func TestSynctestSleepInRun(t *testing.T) {
	Run(t, func(q *T) {
		ticks := 0
		time.AfterFunc(time.Second, func() { ticks++ })
		q.Clock().AfterFunc(2*time.Second, func() { ticks++ })
		synctest.Sleep(time.Second)
		require.Equal(q, 1, ticks)
		q.Sleep(time.Second)
		require.Equal(q, 2, ticks)
	})
}
