package result

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
)

func histogramOf(micros ...int64) (h Histogram) {
	for _, v := range micros {
		h.Record(time.Duration(v) * time.Microsecond)
	}
	return h
}

func TestMoments(t *testing.T) {
	for _, c := range []struct {
		values         []int64
		mean, variance float64 // of microseconds
		rounded        time.Duration
	}{
		{nil, 0, 0, 0}, {[]int64{7}, 7, 0, 7}, {[]int64{1, 2}, 1.5, 0.5, 2}, {[]int64{1, 1, 2}, 4.0 / 3, 1.0 / 3, 1}, {[]int64{5_000_001, 7_000_003}, 6_000_002, 2_000_002.0 * 2_000_002 / 2, 6_000_002},
		{[]int64{3, 3, 9}, 5, 12, 5},
	} {
		h := histogramOf(c.values...)
		mean, variance := h.Moments()
		require.InDelta(t, 1000*c.mean, mean, 1e-9*c.mean)
		require.InDelta(t, 1e6*c.variance, variance, 1e-3*c.variance)
		require.Equal(t, c.rounded*time.Microsecond, h.Mean())
		sum := 0.0
		for _, v := range c.values {
			sum += float64(v) / 1e6
		}
		require.InDelta(t, sum, h.Sum(), 1e-12)
	}
}

func TestRanksAndWithin(t *testing.T) {
	h := histogramOf(1, 2, 2, 5_000_001, 9_000_007)
	for rank, want := range map[int64]int64{1: 1, 2: 2, 3: 2, 4: 5_000_001, 5: 9_000_007, 0: 9_000_007, 6: 9_000_007} {
		require.Equal(t, time.Duration(want)*time.Microsecond, h.AtRank(rank), "rank %d", rank)
	}
	for d, want := range map[time.Duration]int64{
		0: 0, 999: 0, 1000: 1, 1999: 1, 2000: 3, time.Second: 3, 5_000_001*time.Microsecond - 1: 3, 5_000_001 * time.Microsecond: 4, 9_000_007 * time.Microsecond: 5, time.Hour: 5,
	} {
		require.Equal(t, want, h.Within(d), "%v", d)
	}
}

func TestEmptyHistogramOfJSON(t *testing.T) {
	var h Histogram
	require.NoError(t, json.Unmarshal([]byte(`{"unit":"us","sum":5,"min":5,"buckets":[]}`), &h))
	require.Equal(t, Histogram{}, h)
}

func TestRecordManyAddsUpOrRefuses(t *testing.T) {
	var h Histogram
	require.NoError(t, h.recordMany(0, math.MaxInt64-1))
	require.NoError(t, h.recordMany(0, 1))
	require.Error(t, h.recordMany(0, 1))
	require.EqualValues(t, math.MaxInt64, h.Count())
	h = Histogram{}
	require.NoError(t, h.recordMany(time.Second, math.MaxUint64/1_000_000/2))
	require.NoError(t, h.recordMany(time.Second, math.MaxUint64/1_000_000/2))
	require.Error(t, h.recordMany(time.Hour, 1000), "the sum has no room")
	h = Histogram{}
	require.Error(t, h.recordMany(time.Second, math.MaxInt64), "nor has the product")
}

func TestScaled(t *testing.T) {
	require.Equal(t, 21*time.Hour, scaled(3, 7*time.Hour))
	require.Equal(t, LongestDuration, scaled(4, 7*time.Hour))
}

// What lies between the values of a log is empty in the histogram as well.
func TestReadHLogLeavesGaps(t *testing.T) {
	r := &Result{Start: time.Unix(0, 0), Elapsed: time.Second, Response: histogramOf(3000, 1_000_448)}
	var b strings.Builder
	require.NoError(t, r.WriteHLog(&b))
	for line, err := range ReadHLog(strings.NewReader(b.String()), 0) {
		require.NoError(t, err)
		require.Equal(t, time.Unix(0, 0).UTC(), line.Start)
		text, err := json.Marshal(line.Histogram)
		require.NoError(t, err)
		var again Histogram
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, again, line.Histogram)
	}
}

// A number of seconds is from 0 to less than 100 billion.
func TestSecondsOfALog(t *testing.T) {
	for s, ok := range map[string]bool{"0": true, "99999999999": true, "1e11": false, "-0.001": false, "NaN": false, "x": false} {
		_, err := seconds(s)
		require.Equal(t, ok, err == nil, s)
	}
}

// A full disk fails with its first error.
func TestWriteHLogFails(t *testing.T) {
	err := (&Result{Response: histogramOf(1)}).WriteHLog(&fullDisk{})
	require.EqualError(t, err, "load: hlog: full at 1")
	log := hlog{HistogramLogWriter: hdrhistogram.NewHistogramLogWriter(&fullDisk{})}
	log.keep(nil)
	require.NoError(t, log.err)
}

type fullDisk struct{ writes int }

func (d *fullDisk) Write([]byte) (int, error) {
	d.writes++
	return 0, errors.New("full at " + string(rune('0'+d.writes)))
}

// A curve of 100 points or fewer is kept whole, and a rate is per second.
func TestCurvesOfASummary(t *testing.T) {
	for n, interval := range map[int]time.Duration{0: 2 * time.Second, 1: 2 * time.Second, 100: 2 * time.Second, 101: 4 * time.Second, 200: 4 * time.Second, 201: 6 * time.Second} {
		r := &Result{Interval: 2 * time.Second, Timeline: make([]Point, n)}
		if n > 0 {
			r.Timeline[0].Finished = 24
		}
		s := r.Summary(false)
		require.Equal(t, interval, s.Interval, "of %d", n)
		require.Len(t, s.Rate, (n*2+int(interval.Seconds())-1)/int(interval.Seconds()))
		if n > 0 {
			require.InDelta(t, 24/interval.Seconds(), float64(s.Rate[0]), 1e-6)
		}
	}
}

// A summary as long as it may be keeps its figures, and one that is too long for other reasons its first.
func TestSummaryOfTheLongestLength(t *testing.T) {
	s := Summary{Version: Version, Figures: []Figure{{"a", 1, 1, 1}, {"b", 1, 1, 1}}}
	text, err := s.encode()
	require.NoError(t, err)
	for more, figures := range map[int]int{0: 2, 1: 1, MaxSummaryBytes: 1} {
		s.Scenario = strings.Repeat("x", MaxSummaryBytes-len(text)+more)
		var b strings.Builder
		require.NoError(t, s.WriteJSON(&b))
		require.Equal(t, figures, strings.Count(b.String(), `"name"`), "%d bytes too long", more)
	}
}
