package remotewrite

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A receiver keeps the latest value of every series.
type receiver struct {
	mu     sync.Mutex
	values map[string]float64
	status int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	body, err := io.ReadAll(q.Body)
	if err == nil {
		body, err = snappy.Decode(nil, body)
	}
	var request prompb.WriteRequest
	if err == nil {
		err = request.Unmarshal(body)
	}
	if err != nil || q.URL.Path != "/api/v1/write" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, s := range request.Timeseries {
		key := ""
		for _, l := range s.Labels {
			key += fmt.Sprintf("%s=%q ", l.Name, l.Value)
		}
		r.values[key] = s.Samples[0].Value
	}
	w.WriteHeader(http.StatusNoContent)
}

// loaded is a gatherer of a load of 20 requests that has run.
func loaded(t *testing.T) prometheus.Gatherer {
	metrics, registry := load.NewMetrics(), prometheus.NewRegistry()
	registry.MustRegister(metrics)
	_, err := load.Do(context.Background(), load.Scenario{
		Name: "shop", Traffic: traffic.Rate(200).For(100 * time.Millisecond), Metrics: metrics,
		Do: func(context.Context, *load.User) error { return nil },
	})
	require.NoError(t, err)
	return registry
}

// TestPush: every form of metric, with the labels that are added.
func TestPush(t *testing.T) {
	r := &receiver{values: map[string]float64{}}
	srv := httptest.NewServer(r)
	defer srv.Close()
	p, err := Start(Config{URL: srv.URL + "/api/v1/write", Gatherer: loaded(t), Interval: time.Hour, Labels: map[string]string{"pod": "a", "step": "never"}})
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	require.Equal(t, 20.0, r.values[`__name__="load_requests_total" pod="a" result="ok" scenario="shop" step="shop" `])
	require.Equal(t, 20.0, r.values[`__name__="load_response_seconds_bucket" le="+Inf" pod="a" scenario="shop" step="shop" `])
	require.Equal(t, 20.0, r.values[`__name__="load_response_seconds_count" pod="a" scenario="shop" step="shop" `])
	require.Contains(t, r.values, `__name__="load_in_flight" pod="a" scenario="shop" step="never" `)

	other := prometheus.NewRegistry()
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Objectives: map[float64]float64{0.5: 0.1}})
	summary.Observe(3)
	other.MustRegister(summary)
	p, err = Start(Config{URL: srv.URL + "/api/v1/write", Gatherer: other})
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	require.Equal(t, 3.0, r.values[`__name__="s" quantile="0.5" `])
	require.Equal(t, 3.0, r.values[`__name__="s_sum" `])
}

// TestPushFails: the test goes on, and its log says so.
func TestPushFails(t *testing.T) {
	r := &receiver{status: http.StatusBadRequest}
	srv := httptest.NewServer(r)
	defer srv.Close()
	t.Setenv(URLVar, srv.URL+"/api/v1/write")
	rec := tbtest.Run("load", func(q *tbtest.TB) { StartT(q, loaded(t)) })
	require.False(t, rec.Failed())
	require.Contains(t, strings.Join(rec.Logs(), ""), "pushes to "+srv.URL+"/api/v1/write failed, the last: ")
	for want, c := range map[string]Config{
		"has no scheme, host or path": {URL: "http://x"},
		"Config.URL":                  {URL: "://"},
		"Config.Gatherer: nil":        {URL: "http://x/w"},
		"is negative":                 {URL: "http://x/w", Gatherer: prometheus.DefaultGatherer, Interval: -1},
	} {
		_, err := Start(c)
		require.ErrorContains(t, err, want)
	}
	t.Setenv(URLVar, "")
	StartT(t, nil)
}

// TestPrometheus: a real one has what was pushed.
func TestPrometheus(t *testing.T) {
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not on the PATH")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p.yml"), []byte("global: {}\n"), 0o644))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	cmd := exec.Command(binary, "--config.file="+dir+"/p.yml", "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+address, "--web.enable-remote-write-receiver")
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	defer http.DefaultClient.CloseIdleConnections()
	get := func(path string) (text []byte) {
		res, err := http.Get("http://" + address + path)
		if err != nil {
			return nil
		}
		defer res.Body.Close()
		text, _ = io.ReadAll(res.Body) // what is cut is no JSON
		if res.StatusCode != http.StatusOK {
			return nil
		}
		return text
	}
	require.Eventually(t, func() bool { return get("/-/ready") != nil }, time.Minute, 50*time.Millisecond)
	for i := 1; i <= 3; i++ {
		p, err := Start(Config{URL: "http://" + address + "/api/v1/write", Gatherer: loaded(t), Labels: map[string]string{"share": fmt.Sprint(i)}})
		require.NoError(t, err)
		require.NoError(t, p.Stop())
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	require.NoError(t, json.Unmarshal(get("/api/v1/query?query="+url.QueryEscape(`sum(load_requests_total{scenario="shop"})`)), &answer))
	require.Len(t, answer.Data.Result, 1)
	require.Equal(t, "60", answer.Data.Result[0].Value[1], "of all parts")
}
