package realworld

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/latency"
	qload "github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// dayRequests is how many requests a day has at QTESTS_STRESS=20 and more.
const dayRequests = 2_000_000

// service is a chi service with what a service has: middleware, routes, metrics, readiness.
func service(i *fleet.Instance) http.Handler {
	served := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "served_total", Help: "Requests by route."}, []string{"route"})
	i.Registry().MustRegister(served)
	r := chi.NewRouter()
	r.Use(middleware.RealIP, middleware.Recoverer)
	r.Get("/ready", func(http.ResponseWriter, *http.Request) {})
	r.Route("/items", func(r chi.Router) {
		r.Get("/{id}", func(w http.ResponseWriter, r *http.Request) {
			served.WithLabelValues("item").Inc()
			_, _ = io.WriteString(w, chi.URLParam(r, "id"))
		})
	})
	return r
}

// fleetDay runs three replicas behind the better of two, with outlier ejection, an autoscaler, a crash now and then, a lost zone
// and a rolling update, through the curve of a day. It returns what happened.
func fleetDay(q *qtests.T, requests int) string {
	// Whatever the number of requests, the processors have as much to do.
	work := time.Duration(60e6 * dayRequests / float64(requests))
	hpa, err := scale.New(scale.HPA{Min: 3, Max: 12, Metrics: []scale.Metric{{Name: scale.CPU, Utilization: 60}}})
	require.NoError(q, err)
	f := fleet.NewT(q, fleet.Config{
		Name: "shop", New: service, Replicas: 3, Zones: []string{"a", "b", "c"}, Policy: route.PowerOfTwo, Outliers: &route.Outliers{},
		Capacity: fleet.Capacity{CPU: latency.Exponential(work)}, Retry: fleet.Retry{Max: 1}, Scaling: fleet.Scaling{By: hpa},
		Life: fleet.Life{StartUp: latency.Fixed(8 * time.Second), Readiness: fleet.Probe{Path: "/ready", Timeout: 20 * work}, PreStop: 2 * time.Second},
	})
	mean := float64(requests) / (24 * time.Hour).Seconds()
	events := append(f.Faults(fleet.Plan{For: 24 * time.Hour, Every: 2 * time.Hour}),
		f.LoseZone("b").At(5*time.Hour).For(20*time.Minute), f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).At(12*time.Hour))
	var urls [100]string
	for i := range urls {
		urls[i] = "http://shop/items/" + strconv.Itoa(i)
	}
	res := qload.Run(q, qload.Scenario{
		Traffic: traffic.Sine(mean, 0.8*mean, 24*time.Hour, 24*time.Hour), Events: events, Timeout: 10 * time.Minute,
		Do: func(ctx context.Context, u *qload.User) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, urls[u.Request()%100], nil)
			if err != nil {
				return err
			}
			resp, err := f.Client().Do(req)
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		},
	})
	f.RequireDeployed(q, "v2")
	f.RequireGoodput(q, 0.99)
	sum, changes := f.ScalingSummary()
	require.Equal(q, uint64(res.Started), f.Stats().Requests.Offered)
	return fmt.Sprintf("%v%v\n%v\n%v\n%v", f.Stats(), f.Picture(), sum, changes, f.Deployments())
}

// A day of 100,000 requests comes out the same twice, on both runtimes; with QTESTS_STRESS=20 it has 2,000,000, and keeps
// no more memory. BenchmarkFleetDay says how long that takes.
func TestFleetDay(t *testing.T) {
	requests := 100_000
	if text := os.Getenv("QTESTS_STRESS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		requests = min(requests*n, dayRequests)
	}
	var days [2]string
	for i := range days {
		qtests.Run(t, func(q *qtests.T) {
			qtests.LimitHeap(q, 32<<20)
			days[i] = fleetDay(q, requests)
		})
	}
	require.Equal(t, days[0], days[1])
	t.Logf("\n%s", days[0])
}

func BenchmarkFleetDay(b *testing.B) {
	requests := dayRequests
	if testing.Short() {
		requests /= 20
	}
	qtests.Bench(b, func(q *qtests.T) { fleetDay(q, requests) })
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(requests), "ns/request")
}
