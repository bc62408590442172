package realworld

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

// What a service logs has fake times, goes to the test's output, and may be read by the test.
func TestRecipeSlog(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		var lines strings.Builder
		logger := slog.New(slog.NewTextHandler(io.MultiWriter(q.Output(), &lines), nil))
		server := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			time.Sleep(30 * time.Millisecond)
			logger.InfoContext(r.Context(), "served", "path", r.URL.Path, "took", time.Since(began))
		}))
		for range 10 {
			resp, err := server.Client().Get(server.URL + "/items")
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			q.Sleep(time.Hour)
		}
		for line := range strings.Lines(lines.String()) {
			log.Addf("%s", line)
		}
		require.Equal(q, 10, strings.Count(lines.String(), "msg=served path=/items took=30ms\n"))
	})
}
