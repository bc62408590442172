package serverlog_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/direct"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
)

// Both kinds of servers count the panics of a real handler.
func TestServersCountPanics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
		client, served := q.Direct(boom), q.Serve(boom)
		logs := map[*http.Client]*serverlog.Log{
			client:          client.Transport.(*direct.Transport).Log,
			served.Client(): served.HTTPServer().ErrorLog.Writer().(*serverlog.Log),
		}
		for client, log := range logs {
			for range 2 {
				resp, err := client.Post("http://server.memory/", "", nil) // which no client repeats
				if err == nil {
					_ = resp.Body.Close()
				}
				require.ErrorIs(q, err, io.EOF)
			}
			q.Wait()
			require.Equal(q, map[string]int{serverlog.Panics: 2}, log.Kinds())
		}
	})
}
