package dashboard_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/dashboard"
)

// A service is the metrics that load, pool and breaker export, moved by hand.
type service struct {
	reg                        *prometheus.Registry
	requests                   *prometheus.CounterVec
	response                   *prometheus.HistogramVec
	pool, limit, waiters, open *prometheus.GaugeVec
}

func newService() *service {
	s := &service{
		reg:      prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "load_requests_total", Help: "Requests."}, []string{"scenario", "step", "result"}),
		response: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "load_response_seconds", Help: "Response times."}, []string{"scenario", "step"}),
		pool:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "pool_resources", Help: "Resources."}, []string{"pool", "state"}),
		limit:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "pool_max_resources", Help: "Limit."}, []string{"pool"}),
		waiters:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "pool_waiters", Help: "Waiters."}, []string{"pool"}),
		open:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "breaker_state", Help: "State."}, []string{"breaker", "state"}),
	}
	s.reg.MustRegister(s.requests, s.response, s.pool, s.limit, s.waiters, s.open)
	s.limit.WithLabelValues("db").Set(10)
	s.breaker("closed")
	return s
}

func (s *service) breaker(state string) {
	for _, x := range []string{"closed", "open", "half-open"} {
		v := 0.0
		if x == state {
			v = 1
		}
		s.open.WithLabelValues("payments", x).Set(v)
	}
}

// work lets d go by with ten requests a second, and the share of them fails.
func (s *service) work(q *qtests.T, d time.Duration, share float64) {
	for range d / (10 * time.Second) {
		q.Sleep(10 * time.Second)
		s.requests.WithLabelValues("shop", "pay", "ok").Add(100 * (1 - share))
		s.requests.WithLabelValues("shop", "pay", "error").Add(100 * share)
		for i := range 100 {
			s.response.WithLabelValues("shop", "pay").Observe(float64(i) / 100)
		}
		s.pool.WithLabelValues("db", "in_use").Set(3 + 7*share)
		s.pool.WithLabelValues("db", "idle").Set(7 - 7*share)
		s.waiters.WithLabelValues("db").Set(5 * share)
	}
}

// outage is half an hour with an outage in the middle of it.
func outage(q *qtests.T) *monitor.Monitor {
	s := newService()
	m := monitor.NewT(q, monitor.Config{
		Gatherers: []prometheus.Gatherer{s.reg},
		Rules: []monitor.Rule{
			{Name: "PaymentsOpen", Expr: `breaker_state{state="open"} == 1`, For: time.Minute, Severity: "critical", Summary: "{{ $labels.breaker }} is open"},
			{Name: "Waiting", Expr: `pool_waiters > 0`},
		},
	})
	q.Sleep(5 * time.Second)
	s.work(q, 10*time.Minute, 0)
	s.breaker("open")
	s.work(q, 5*time.Minute, 1)
	return m
}

func TestDashboard(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := outage(q)
		d := dashboard.Of(m)
		require.Equal(q, dashboard.Critical, d.Health)
		require.Equal(q, []string{
			"alert PaymentsOpen fires since 11m10s", "alert Waiting fires since 10m20s",
			"breaker payments is open", "pool db is exhausted: 5 wait",
		}, d.Reasons)
		require.EqualValues(q, 8900, d.Requests)
		require.InDelta(q, 10, d.Rate, 1e-9)
		require.InDelta(q, 10, d.ErrorRate, 1e-9)
		require.Equal(q, "CRITICAL after 15m5s: alert PaymentsOpen fires since 11m10s; alert Waiting fires since 10m20s; breaker payments is open; pool db is exhausted: 5 wait\n"+
			"requests            8900             errors      2900  in flight  –\n", fold(d.String(), 2))
		data, err := json.Marshal(d)
		require.NoError(q, err)
		require.Contains(q, string(data), `"health":"critical"`)
		require.Contains(q, string(data), `"in_flight":null`)
		require.Contains(q, string(data), `"breakers":[{"name":"payments","state":"open","calls":0,"rejected":0}]`)

		empty := monitor.NewT(q, monitor.Config{})
		require.Equal(q, dashboard.Healthy, dashboard.Of(empty).Health)
		_, err = json.Marshal(dashboard.Of(empty))
		require.NoError(q, err)
	})
}

func TestHandler(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		m := outage(q)
		srv := q.Serve(dashboard.Handler(m))
		get := func(method, path string) (*http.Response, string) {
			req, err := http.NewRequestWithContext(context.Background(), method, srv.URL+path, nil)
			require.NoError(q, err)
			resp, err := srv.Client().Do(req)
			require.NoError(q, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			return resp, string(body)
		}
		resp, page := get("GET", "/")
		require.Equal(q, 200, resp.StatusCode)
		require.Contains(q, page, `<body data-refresh="10">`)
		require.Contains(q, page, "<h1>Monitor")
		require.Contains(q, page, "breaker payments is open")
		// The namespace of SVG is a name and no address.
		require.NotRegexp(q, `https?://|src=|href=|url\(`, strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), "the page asks no network for anything")
		require.NotContains(q, page, ":null}", "the script iterates over what it is given")
		_, again := get("GET", "/")
		require.Equal(q, page, again)
		_, text := get("GET", "/dashboard.txt")
		require.Equal(q, dashboard.Of(m).String(), text)
		_, data := get("GET", "/dashboard.json")
		require.True(q, json.Valid([]byte(data)))
		scrapes := m.Status().Scrapes
		_, metrics := get("GET", "/metrics")
		require.Contains(q, metrics, `load_requests_total{result="error",scenario="shop",step="pay"} 3000`)
		require.Equal(q, scrapes, m.Status().Scrapes, "serving metrics is no scrape")
		resp, _ = get("GET", "/favicon.ico")
		require.Equal(q, 404, resp.StatusCode)
		resp, _ = get("POST", "/")
		require.Equal(q, 405, resp.StatusCode)
		if dir := os.Getenv("QTESTS_PAGE_DIR"); dir != "" {
			require.NoError(q, os.WriteFile(filepath.Join(dir, "monitor.html"), []byte(page), 0o644))
		}
	})
}

// tool returns the path of a program of Debian's prometheus package, or skips.
func tool(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian: apt-get install prometheus): %v", name, err)
	}
	return path
}

func TestExpositionSatisfiesPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	s := newService()
	s.requests.WithLabelValues("shop", "pay", "ok").Inc()
	m := monitor.NewT(t, monitor.Config{Gatherers: []prometheus.Gatherer{s.reg}, Runtime: true})
	w := httptest.NewRecorder()
	dashboard.Handler(m).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = w.Body
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))
}

// A real Prometheus scrapes the handler over a real socket, in real time.
func TestRealPrometheusScrapes(t *testing.T) {
	prom := tool(t, "prometheus")
	s := newService()
	s.requests.WithLabelValues("shop", "pay", "ok").Add(42)
	m := monitor.NewT(t, monitor.Config{Gatherers: []prometheus.Gatherer{s.reg}})
	srv := httptest.NewServer(dashboard.Handler(m))
	defer srv.Close()
	dir := t.TempDir()
	config := "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs: [{job_name: qtests, static_configs: [{targets: ['" +
		strings.TrimPrefix(srv.URL, "http://") + "']}]}]\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o644))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, prom, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	require.NoError(t, cmd.Start())
	defer func() { cancel(); _ = cmd.Wait() }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	body := ""
	for ctx.Err() == nil && !strings.Contains(body, `"42"`) {
		resp, err := client.Get("http://" + addr + "/api/v1/query?query=load_requests_total")
		if err != nil {
			continue // it has not begun to listen
		}
		data, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		body = string(data)
	}
	require.Contains(t, body, `"step":"pay"`)
	require.Contains(t, body, `"42"`)
}

// fold returns the first lines of a text.
func fold(text string, lines int) string {
	return strings.Join(strings.SplitAfter(text, "\n")[:lines], "")
}
