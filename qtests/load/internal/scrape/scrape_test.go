package scrape

import (
	"io"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServe(t *testing.T) {
	up := prometheus.NewGauge(prometheus.GaugeOpts{Name: "up_to_date"})
	at, stop, err := Serve("127.0.0.1:0", up)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + at.String() + "/metrics")
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Contains(t, string(text), "up_to_date 0\n")
	_, _, err = Serve(at.String(), up)
	require.ErrorContains(t, err, "load: QTESTS_METRICS: listen")
	stop()
	_, err = client.Get("http://" + at.String() + "/metrics")
	require.Error(t, err)
}

// TestShared: the first to join serves, the last to leave ends it, and what cannot be served is left by all.
func TestShared(t *testing.T) {
	made := 0
	newGauge := func() prometheus.Gauge {
		made++
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "up_to_date"})
	}
	var s Shared[prometheus.Gauge]
	_, _, err := s.Join("nowhere", newGauge)
	require.ErrorContains(t, err, "load: QTESTS_METRICS: listen")
	for range 2 {
		made = 0
		first, leaveFirst, err := s.Join("127.0.0.1:0", newGauge)
		require.NoError(t, err)
		second, leaveSecond, err := s.Join("127.0.0.1:0", newGauge)
		require.NoError(t, err)
		require.Same(t, first, second)
		stop, stopped := s.mu.stop, 0
		s.mu.stop = func() { stopped++; stop() }
		leaveFirst()
		third, leaveThird, err := s.Join("127.0.0.1:0", newGauge)
		require.NoError(t, err)
		require.Same(t, first, third)
		require.Equal(t, 1, made)
		leaveSecond()
		require.Zero(t, stopped, "one has not left")
		leaveThird() // goleak sees that it no longer serves
		require.Equal(t, 1, stopped)
	}
}
