package qtests

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A handler that panics for every request of a load scenario fills no log.
func TestServerLogCountsPanics(t *testing.T) {
	ways := map[string]func(l *serverLog, i int){
		"net/http": func(l *serverLog, i int) {
			_, _ = fmt.Fprintf(l, "http: panic serving pipe: boom %d\ngoroutine 1 [running]:\n", i)
		},
		"Direct": func(l *serverLog, i int) { l.panicked("pipe", fmt.Sprintf("boom %d", i)) },
	}
	for name, panics := range ways {
		for _, n := range []int{2, 3, 5} {
			r := tbtest.Run("TestShop", func(r *tbtest.TB) {
				l := newServerLog(r)
				for i := range n {
					panics(l, i)
				}
			})
			log := strings.Join(r.Logs(), "\n")
			require.Equal(t, min(n, 3), strings.Count(log, "http: panic serving pipe: boom "), name)
			require.Equal(t, min(n, 3), strings.Count(log, "[running]:"), "%s: with the stacks", name)
			if n <= 3 {
				require.NotContains(t, log, "not logged", name)
			} else {
				require.Contains(t, log, "http: 5 panics of the handler, of which 2 are not logged", name)
			}
		}
	}
}

func TestServerLogPassesTheRestOn(t *testing.T) {
	r := tbtest.Run("TestShop", func(r *tbtest.TB) {
		l := newServerLog(r)
		for range 5 {
			_, err := io.WriteString(l, "http: superfluous response.WriteHeader call\n")
			require.NoError(t, err)
		}
	})
	require.Equal(t, slicesOf(5, "http: superfluous response.WriteHeader call"), r.Logs())
}

func slicesOf(n int, text string) (all []string) {
	for range n {
		all = append(all, text)
	}
	return all
}

// Both kinds of servers count the panics of a real handler.
func TestServersCountPanics(t *testing.T) {
	Run(t, func(q *T) {
		boom := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
		direct, served := q.Direct(boom), q.Serve(boom)
		counts := map[*http.Client]*serverLog{
			direct:          direct.Transport.(*directTransport).log,
			served.Client(): served.server.ErrorLog.Writer().(*serverLog),
		}
		for client, log := range counts {
			for range 2 {
				resp, err := client.Post("http://server.memory/", "", nil) // which no client repeats
				if err == nil {
					_ = resp.Body.Close()
				}
				require.ErrorIs(q, err, io.EOF)
			}
			q.Wait()
			require.EqualValues(q, 2, log.panics.Load())
		}
	})
}
