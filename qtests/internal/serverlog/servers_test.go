package serverlog_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/direct"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A panic fails the test, once, and names the line, whichever server recovers it: net/http's or the
// direct client's, of a value or of the runtime.
func TestPanicFails(t *testing.T) {
	var none map[string]int
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"value":   {func(http.ResponseWriter, *http.Request) { panic("boom") }, `^qtests: the handler panicked at servers_test.go:\d+: boom; where that is meant, call qtests.AllowPanics$`},
		"runtime": {func(http.ResponseWriter, *http.Request) { none["x"] = 1 }, `^qtests: the handler panicked at servers_test.go:\d+: assignment to entry in nil map; `},
		"library": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(42) }, `^qtests: the handler panicked at servers_test.go:\d+: invalid WriteHeader code 42; `},
		"abort":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""},
	} {
		for _, kind := range []string{"serve", "direct", "excused"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				qtests.Run(t, func(q *qtests.T) {
					r := tbtest.Run("TestShop", func(r *tbtest.TB) {
						log := serverlog.New(r, func() bool { return kind == "excused" })
						client := &http.Client{Transport: direct.NewTransport(q.Clock(), c.handler, log)}
						if kind == "serve" {
							s := q.Serve(c.handler)
							s.HTTPServer().ErrorLog.SetOutput(log)
							client = s.Client()
						}
						for range 3 {
							resp, err := client.Post("http://server.memory/", "", nil)
							if err == nil {
								_ = resp.Body.Close()
							}
							require.ErrorIs(q, err, io.EOF)
						}
						q.Wait()
					})
					if c.want == "" || kind == "excused" {
						require.False(q, r.Failed())
						return
					}
					require.Equal(q, 1, strings.Count(r.Errors(), "qtests: "))
					require.Regexp(q, c.want, r.Errors())
				})
			})
		}
	}
}

// Both kinds of servers count the panics of a real handler.
func TestServersCountPanics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		qtests.AllowPanics(q)
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
