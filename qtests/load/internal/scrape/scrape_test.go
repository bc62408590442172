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
