package fleet_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/latency"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hello answers with the name of its instance, after d.
func hello(d time.Duration) func(i *fleet.Instance) http.Handler {
	return func(i *fleet.Instance) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i.Clock().Sleep(d)
			_, _ = io.WriteString(w, i.Name())
		})
	}
}

// get returns what the fleet answers.
func get(client *http.Client, path string) (string, int, error) {
	resp, err := client.Get("http://fleet" + path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.StatusCode, err
}

// every sends a request each interval for d, in goroutines of their own.
func every(q *qtests.T, client *http.Client, interval, d time.Duration) {
	for range d / interval {
		q.Go(func() { _, _, _ = get(client, "/") })
		q.Sleep(interval)
	}
}

func both(t *testing.T, body func(q *qtests.T, wire bool)) {
	for name, wire := range map[string]bool{"direct": false, "wire": true} {
		t.Run(name, func(t *testing.T) { qtests.Run(t, func(q *qtests.T) { body(q, wire) }) })
	}
}

func TestRequestsGoInTurns(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		f := fleet.NewT(q, fleet.Config{Name: "shop", New: hello(0), Replicas: 3, Zones: []string{"a", "b"}, Wire: wire})
		var got []string
		for range 6 {
			body, status, err := get(f.Client(), "/")
			require.NoError(q, err)
			require.Equal(q, 200, status)
			got = append(got, body)
		}
		require.Equal(q, []string{"shop-1", "shop-2", "shop-3", "shop-1", "shop-2", "shop-3"}, got)
		x := f.Stats()
		require.Equal(q, fleet.Counts{Offered: 6, Answered: 6}, x.Requests)
		require.Equal(q, []string{"a", "b", "a"}, []string{x.Instances[0].Zone, x.Instances[1].Zone, x.Instances[2].Zone})
		f.RequireNothingLost(q)
	})
}

func TestStatusesAreCounted(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: func(*fleet.Instance) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/404":
					w.WriteHeader(404)
				case "/429":
					w.WriteHeader(429)
				case "/503":
					w.WriteHeader(503)
				case "/500":
					w.WriteHeader(500)
				case "/half":
					w.Header().Set("Content-Length", "100")
					_, _ = io.WriteString(w, "half")
				case "/panic":
					panic(http.ErrAbortHandler)
				}
			})
		}})
		for _, path := range []string{"/", "/404", "/429", "/503", "/500", "/half", "/panic"} {
			_, _, _ = get(f.Client(), path)
		}
		x := f.Stats()
		require.Equal(q, fleet.Counts{Offered: 7, Answered: 2, Refused: 2, Failed: 3}, x.Requests)
		require.Equal(q, map[string]uint64{"overloaded": 2, "server error": 1, "broken off": 2}, x.Why)
	})
}

// A client that gives up, and one whose time is over.
func TestGivenUp(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		f := fleet.NewT(q, fleet.Config{New: hello(time.Minute), Wire: wire})
		ctx, cancel := context.WithCancel(q.Context())
		q.Clock().AfterFunc(time.Second, cancel)
		req, err := http.NewRequestWithContext(ctx, "GET", "http://fleet/", nil)
		require.NoError(q, err)
		_, err = f.Client().Do(req)
		require.ErrorIs(q, err, context.Canceled)

		client := *f.Client()
		client.Timeout = time.Second
		_, err = client.Get("http://fleet/")
		require.Error(q, err)
		q.Sleep(time.Minute)
		x := f.Stats()
		require.Equal(q, fleet.Counts{Offered: 2, Failed: 2}, x.Requests)
		require.Equal(q, map[string]uint64{"given up": 1, "timeout": 1}, x.Why)
	})
}

func TestNoInstance(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), NoReplicas: true})
		_, _, err := get(f.Client(), "/")
		require.ErrorIs(q, err, fleet.ErrNoInstance)
		_, err = f.Dialer()(q.Context(), "tcp", "fleet:80")
		require.ErrorIs(q, err, fleet.ErrNoInstance)
		x := f.Stats()
		require.Equal(q, map[string]uint64{"no instance": 1}, x.Why)
		require.Equal(q, fleet.Counts{Offered: 1, Refused: 1}, x.Conns)
		f.Scale(1)
		q.Sleep(2 * time.Second)
		_, _, err = get(f.Client(), "/")
		require.NoError(q, err)
	})
}

// What is under way breaks off, what comes meanwhile is refused, and the process starts again.
func TestCrash(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		stopped := 0
		f := fleet.NewT(q, fleet.Config{Wire: wire, Life: fleet.Life{StartUp: latency.Fixed(3 * time.Second), NoEndpointLag: true}, New: func(i *fleet.Instance) http.Handler {
			i.OnStop(func() { stopped++ })
			return hello(500 * time.Millisecond)(i)
		}})
		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), f.Crash(fleet.Everyone()).At(10*time.Second+100*time.Millisecond))
		require.NoError(q, err)
		every(q, f.Client(), 250*time.Millisecond, 20*time.Second)
		q.Sleep(time.Second)
		require.NoError(q, stop())
		x := f.Stats()
		require.Equal(q, 2, x.Instances[0].Starts)
		require.Equal(q, 1, stopped)
		require.Equal(q, map[string]uint64{"broken off": 2, "not listening": 12}, x.Why)
		require.True(q, x.Requests.Balanced())
		require.Equal(q, uint64(80-14), x.Requests.Answered)
	})
}

// The back-off of Kubernetes: at once, 10 s, 20 s, 40 s.
func TestCrashLoop(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var starts []time.Duration
		var f *fleet.Fleet
		f = fleet.NewT(q, fleet.Config{ColdStart: true, New: func(i *fleet.Instance) http.Handler {
			starts = append(starts, q.Elapsed().Round(time.Second))
			q.Clock().AfterFunc(time.Millisecond, func() { f.Crash(fleet.Everyone()).Begin() })
			return hello(0)(i)
		}})
		q.Sleep(3 * time.Minute)
		require.Equal(q, []time.Duration{0, 0, 10 * time.Second, 30 * time.Second, 70 * time.Second, 150 * time.Second}, starts)
	})
}

func TestHangAndSlow(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		f := fleet.NewT(q, fleet.Config{New: hello(100 * time.Millisecond), Wire: wire})
		took := func() time.Duration {
			began := q.Elapsed()
			_, _, err := get(f.Client(), "/")
			require.NoError(q, err)
			return (q.Elapsed() - began).Round(time.Millisecond)
		}
		hang, slow := f.Hang(fleet.Named("fleet-1")), f.Slow(fleet.Everyone(), 3)
		hang.Begin()
		q.Clock().AfterFunc(5*time.Second, hang.End)
		require.Equal(q, 5100*time.Millisecond, took())
		slow.Begin()
		require.Equal(q, 300*time.Millisecond, took())
		slow.End()
		require.Equal(q, 100*time.Millisecond, took())
		f.RequireNothingLost(q)
	})
}

func TestScaleDownWithoutPreStopLosesRequests(t *testing.T) {
	for _, tc := range []struct {
		name string
		life fleet.Life
		lost bool
	}{
		{"the balancer knows too late", fleet.Life{}, true},
		{"it waits for the balancer", fleet.Life{PreStop: 2 * time.Second}, false},
		{"it dies of SIGTERM", fleet.Life{PreStop: 1100 * time.Millisecond, DiesOnTerm: true}, true},
		{"its grace is over", fleet.Life{PreStop: 2 * time.Second, Grace: 2 * time.Second}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f := fleet.NewT(q, fleet.Config{New: hello(3 * time.Second), Replicas: 4, Life: tc.life})
				q.Clock().AfterFunc(5*time.Second+50*time.Millisecond, func() { f.Scale(2) })
				every(q, f.Client(), 100*time.Millisecond, 20*time.Second)
				q.Sleep(10 * time.Second)
				require.Equal(q, tc.lost, f.Stats().Requests.Lost() > 0, "%v", f.Stats())
				require.Len(q, f.Instances(), 2)
				require.Equal(q, []string{"fleet-1", "fleet-2"}, []string{f.Instances()[0].Name(), f.Instances()[1].Name()}, "the youngest go first")
			})
		})
	}
}

// Readiness that is not asked for is taken for granted.
func TestReadiness(t *testing.T) {
	for _, tc := range []struct {
		name  string
		probe fleet.Probe
		lost  bool
	}{
		{"no probe", fleet.Probe{}, true},
		{"a probe of the port", fleet.Probe{Listening: true, Period: time.Second}, true},
		{"a probe of what answers", fleet.Probe{Path: "/ready", Period: time.Second}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				made := func(i *fleet.Instance) http.Handler {
					warm := q.Elapsed() + 20*time.Second
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if q.Elapsed() > time.Minute && q.Elapsed() < warm { // the first ones are warm
							http.Error(w, "warming up", 503)
						}
					})
				}
				f := fleet.NewT(q, fleet.Config{New: made, Replicas: 3, Life: fleet.Life{
					StartUp: latency.Fixed(10 * time.Second), Readiness: tc.probe, PreStop: 2 * time.Second,
				}})
				q.Sleep(time.Minute)
				deploy := f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{})
				deploy.Begin()
				every(q, f.Client(), 100*time.Millisecond, 3*time.Minute)
				f.RequireDeployed(q, "v2")
				require.Equal(q, tc.lost, f.Stats().Requests.Lost() > 0, "%v", f.Stats())
				for _, i := range f.Instances() {
					require.Equal(q, "v2", i.Version())
				}
			})
		})
	}
}

func TestLiveness(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Life: fleet.Life{Liveness: fleet.Probe{Path: "/"}}})
		hang := f.Hang(fleet.Everyone())
		q.Sleep(5 * time.Second)
		hang.Begin()
		q.Sleep(31 * time.Second)
		require.Equal(q, 2, f.Instances()[0].Starts(), "three probes of 10 s")
		hang.End()
		q.Sleep(time.Minute)
		require.Equal(q, 2, f.Instances()[0].Starts())
	})
}

// A lost zone: its instances time out until the node controller has noticed, are replaced after five minutes, and
// the ones that are left come back.
func TestLoseZone(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 4, Zones: []string{"a", "b"}})
		zones := func() (all string) {
			for _, i := range f.Instances() {
				all += i.Zone()
			}
			return all
		}
		lose := f.LoseZone("a")
		lose.Begin()
		began := q.Elapsed()
		_, _, err := get(f.Client(), "/")
		require.ErrorContains(q, err, "i/o timeout")
		require.Equal(q, fleet.DefaultConnectTimeout, q.Elapsed()-began)
		q.Sleep(42 * time.Second)
		for range 4 {
			_, _, err = get(f.Client(), "/")
			require.NoError(q, err, "the balancer knows")
		}
		require.Equal(q, "abab", zones())
		q.Sleep(5 * time.Minute)
		require.Equal(q, "bbbb", zones())
		lose.End()
		f.Scale(6)
		require.Equal(q, "bbbbaa", zones())
		q.Sleep(2 * time.Second)
		for range 6 {
			_, _, err = get(f.Client(), "/")
			require.NoError(q, err)
		}
	})
}

func TestZoneComesBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Replicas: 2, Zones: []string{"a", "b"}})
		lose := f.LoseZone("a")
		lose.Begin()
		q.Sleep(time.Minute)
		lose.End()
		q.Sleep(5 * time.Second)
		require.Equal(q, 2, f.Instances()[0].Starts())
		for range 4 {
			_, _, err := get(f.Client(), "/")
			require.NoError(q, err)
		}
		require.Equal(q, uint64(2), f.Stats().Instances[0].Attempts.Answered)
	})
}

func TestConcurrencyAndQueue(t *testing.T) {
	both(t, func(q *qtests.T, wire bool) {
		f := fleet.NewT(q, fleet.Config{New: hello(time.Second), Wire: wire, Capacity: fleet.Capacity{Concurrency: 2, MaxQueue: 3}})
		var ends []time.Duration
		for range 8 {
			q.Go(func() {
				_, status, err := get(f.Client(), "/")
				require.NoError(q, err)
				if status == 200 {
					ends = append(ends, q.Elapsed().Round(time.Second))
				}
			})
		}
		q.Sleep(time.Minute)
		require.Equal(q, []time.Duration{time.Second, time.Second, 2 * time.Second, 2 * time.Second, 3 * time.Second}, ends)
		require.Equal(q, map[string]uint64{"queue full": 3}, f.Stats().Why)
	})
}

// Who leaves the queue leaves its place to others, and loses no slot.
func TestQuitTheQueue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(time.Second), Capacity: fleet.Capacity{Concurrency: 1, MaxQueue: 1}})
		impatient := *f.Client()
		impatient.Timeout = 500 * time.Millisecond
		q.Go(func() { _, _, _ = get(f.Client(), "/") })
		q.Go(func() { _, _, _ = get(&impatient, "/") })
		q.Sleep(600 * time.Millisecond)
		for range 3 {
			_, status, err := get(f.Client(), "/")
			require.NoError(q, err)
			require.Equal(q, 200, status)
		}
	})
}

// Little's law, and the mean wait of M/D/1: ρ/(2(1-ρ)) services.
func TestProcessorIsAnMD1Queue(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Capacity: fleet.Capacity{CPU: latency.Fixed(10 * time.Millisecond)}})
		const n, rho = 40_000, 0.7
		r := q.Rand("arrivals")
		total := time.Duration(0)
		began := q.Elapsed()
		for range n {
			q.Go(func() {
				at := q.Elapsed()
				_, _, err := get(f.Client(), "/")
				require.NoError(q, err)
				total += q.Elapsed() - at
			})
			q.Sleep(time.Duration(r.ExpFloat64() * float64(10*time.Millisecond) / rho))
		}
		length := q.Elapsed() - began
		q.Sleep(time.Second)
		mean := total.Seconds() / n
		require.InEpsilon(t, 0.010*(1+rho/(2*(1-rho))), mean, 0.05)
		require.InEpsilon(t, rho, f.Stats().Instances[0].CPU.Seconds()/length.Seconds(), 0.02)
	})
}

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
