package monitored

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/monitor"
)

func TestSeriesKeepTheLargestOfAnInterval(t *testing.T) {
	start := time.Unix(1e9, 0)
	r := &result.Result{Start: start, Interval: 10 * time.Second, Timeline: make([]result.Point, 5)}
	var scraped []monitor.Sample
	for _, x := range [][2]float64{{1, 3}, {4, 9}, {7, 2}, {31, 5}, {35, 4}, {60, 99}} {
		scraped = append(scraped, monitor.Sample{At: start.Add(time.Duration(x[0]) * time.Second), Value: x[1]})
	}
	require.Equal(t, []float64{9, 2, 2, 5, 4}, sampled(r, scraped), "an interval without a scrape has the last value, not the peak")
}
