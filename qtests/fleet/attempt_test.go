package fleet_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/latency"
)

func TestRetries(t *testing.T) {
	for _, tc := range []struct {
		name, method string
		retry        fleet.Retry
		body         string
		answered     bool
		attempts     fleet.Attempts
	}{
		{"off", "GET", fleet.Retry{}, "", false, fleet.Attempts{First: 1}},
		{"another instance", "GET", fleet.Retry{Max: 1}, "", true, fleet.Attempts{First: 1, Retries: 1}},
		{"not for POST", "POST", fleet.Retry{Max: 1}, "x", false, fleet.Attempts{First: 1}},
		{"unless it is harmless", "POST", fleet.Retry{Max: 1, Unsafe: true}, "x", true, fleet.Attempts{First: 1, Retries: 1}},
		{"without budget", "GET", fleet.Retry{Max: 1, Budget: route.Budget{Min: -1, Share: 0.01}}, "", false, fleet.Attempts{First: 1, OverBudget: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := fleet.NewT(q, fleet.Config{Replicas: 2, Retry: tc.retry, New: func(i *fleet.Instance) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						body, _ := io.ReadAll(r.Body)
						require.Equal(q, tc.body, string(body))
						if i.Name() == "fleet-1" {
							w.WriteHeader(503)
						}
					})
				}})
				req, err := http.NewRequest(tc.method, "http://fleet/", strings.NewReader(tc.body))
				require.NoError(q, err)
				resp, err := f.Client().Do(req)
				require.NoError(q, err)
				require.NoError(q, resp.Body.Close())
				x := f.Stats()
				require.Equal(q, tc.answered, x.Requests.Answered == 1)
				require.Equal(q, tc.attempts, x.Attempts)
			})
		})
	}
}

// A connection that is refused was served by nobody: POST is sent again, too.
func TestRefusedConnectionsAreRetried(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 2, New: hello(0), Retry: fleet.Retry{Max: 2}, Life: fleet.Life{StartUp: latency.Fixed(time.Minute)}})
		f.Crash(fleet.Named("fleet-1")).Begin()
		resp, err := f.Client().Post("http://fleet/", "text/plain", strings.NewReader("x"))
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, fleet.Attempts{First: 1, Retries: 1}, f.Stats().Attempts)
	})
}

func TestPerTry(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 2, New: hello(0), Retry: fleet.Retry{Max: 1, PerTry: time.Second}})
		f.Hang(fleet.Named("fleet-1")).Begin()
		body, _, err := get(f.Client(), "/")
		require.NoError(q, err)
		require.Equal(q, "fleet-2", body)
		require.Equal(q, map[string]uint64{"timeout": 1}, f.Stats().Instances[0].Why)
	})
}

func TestHedge(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		slow := map[string]time.Duration{}
		f := fleet.NewT(q, fleet.Config{Replicas: 2, Wire: wire, Hedge: fleet.Hedge{After: time.Second}, New: func(i *fleet.Instance) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q.Clock().Sleep(slow[i.Name()])
				_, _ = io.WriteString(w, i.Name())
			})
		}})
		ask := func(one, two time.Duration) (string, time.Duration) {
			slow["fleet-1"], slow["fleet-2"] = one, two
			began := q.Elapsed()
			body, _, err := get(f.Client(), "/")
			require.NoError(q, err)
			took := q.Elapsed() - began
			q.Sleep(time.Minute)
			return body, took.Round(time.Millisecond)
		}
		body, took := ask(10*time.Second, time.Second)
		require.Equal(q, "fleet-2", body)
		require.Equal(q, 2*time.Second, took)
		body, took = ask(3*time.Second, 10*time.Second)
		require.Equal(q, "fleet-1", body)
		require.Equal(q, 3*time.Second, took)
		body, took = ask(10*time.Millisecond, 10*time.Millisecond)
		require.Equal(q, "fleet-1", body)
		require.Equal(q, 10*time.Millisecond, took)
		x := f.Stats()
		require.Equal(q, fleet.Attempts{First: 3, Hedges: 2}, x.Attempts)
		require.Equal(q, fleet.Counts{Offered: 3, Answered: 3}, x.Requests)
		require.Equal(q, uint64(1), x.Instances[0].Why["hedged"])
		require.Equal(q, uint64(1), x.Instances[1].Why["hedged"])
	})
}

func TestOutlierIsEjected(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 3, Outliers: &route.Outliers{}, New: func(i *fleet.Instance) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if i.Name() == "fleet-2" && q.Elapsed() < time.Minute {
					w.WriteHeader(500)
				}
			})
		}})
		every(q, f.Client(), 100*time.Millisecond, 3*time.Minute)
		x := f.Stats()
		require.Equal(q, uint64(10), x.Requests.Failed, "five, and five more after 30 s")
		require.Equal(q, 4, len(x.Ejections))
	})
}

func TestHealthChecks(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{Replicas: 3, New: hello(0), Health: fleet.Probe{Path: "/", Period: time.Second, Failures: 2}})
		client := *f.Client()
		client.Timeout = time.Second
		hang := f.Hang(fleet.Named("fleet-3"))
		hang.Begin()
		q.Sleep(5 * time.Second)
		for range 9 {
			_, _, err := get(&client, "/")
			require.NoError(q, err)
		}
		hang.End()
		q.Sleep(3 * time.Second)
		for range 3 {
			_, _, err := get(&client, "/")
			require.NoError(q, err)
		}
		require.Equal(q, uint64(1), f.Stats().Instances[2].Attempts.Answered)
	})
}
