package fakehttp_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/pool/fakesql"
)

// What a fake reports from deep below the standard library, or in a cleanup, has
// the line of the test, not one of ours.
func TestReportsHaveTheUsersLine(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildLines$", "-test.v")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QTESTS_") }), "QTESTS_CHILD=1")
	out, err := cmd.CombinedOutput()
	require.IsType(t, &exec.ExitError{}, err, "%s", out)
	for _, want := range []string{
		"db: no stub answers the query", "api: no responder for GET", "remaining expectation", "the body of a response not closed",
		"db: 1 unexpected call", "api: 1 unexpected call", "pool p: close: ", "http: superfluous response.WriteHeader call", "http: panic serving",
	} {
		require.Regexp(t, `(?m)^ +lines_test\.go:\d+: .*`+regexp.QuoteMeta(want), string(out))
	}
	require.NotRegexp(t, `(?m)^ +[a-km-z]\w*\.go:\d+: `, string(out), "a line of ours")
}

func TestChildLines(t *testing.T) {
	if os.Getenv("QTESTS_CHILD") == "" {
		t.Skip("runs in a process of its own, started by another test")
	}
	for name, body := range map[string]func(q *qtests.T){
		"unmatched query": func(q *qtests.T) {
			_, err := fakesql.NewT(q, fakesql.Config{Name: "db", Max: 4}).DB().Query("SELECT 7")
			require.Error(q, err)
		},
		"unmatched request": func(q *qtests.T) {
			_, err := fakehttp.NewT(q, fakehttp.Config{Name: "api", Max: 4}).Client().Get("http://api/x")
			require.Error(q, err)
		},
		"expectation": func(q *qtests.T) {
			fakesql.NewT(q, fakesql.Config{Name: "db", Max: 4}).Expect().ExpectQuery("SELECT 1")
		},
		"body": func(q *qtests.T) {
			api := fakehttp.NewT(q, fakehttp.Config{Name: "api", Max: 4})
			api.On("GET", "/x", httpmock.NewStringResponder(200, "abc"))
			_, err := api.Client().Get("http://api/x")
			require.NoError(q, err)
		},
		"lease": func(q *qtests.T) {
			p := pool.NewT(q, pool.Config[int]{Name: "p", Max: 4, New: func(context.Context) (int, error) { return 1, nil }})
			_, err := p.Acquire(q.Context())
			require.NoError(q, err)
		},
		"server": func(q *qtests.T) {
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				w.WriteHeader(http.StatusOK)
				if r.URL.Path == "/panic" {
					panic("deliberate")
				}
			})
			server := q.Serve(handler)
			for _, client := range []*http.Client{server.Client(), q.Direct(handler)} {
				for _, path := range []string{"/", "/panic"} {
					if resp, err := client.Get(server.URL + path); err == nil {
						_ = resp.Body.Close()
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) { qtests.Run(t, body) })
	}
}
