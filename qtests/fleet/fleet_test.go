package fleet_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/internal/stress"
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
	stress.Figures(t)
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
