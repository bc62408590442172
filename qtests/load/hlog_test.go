package load

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

func TestHLogHasTheRunItsStepsAndItsIntervals(t *testing.T) {
	var b bytes.Buffer
	var res *result.Result
	qtests.Run(t, func(q *qtests.T) {
		var err error
		res, err = Do(context.Background(), Scenario{
			Name: "two\nlines", Clock: q.Clock(), Traffic: traffic.Rate(100).For(100 * time.Second), MaxInFlight: 1, Overflow: Queue,
			Steps: []Step{{Name: "a b", Do: exponential(5 * time.Millisecond)}, {Name: "a,b", Do: serve(7 * time.Millisecond)}, {Name: "intervals", Do: serve(0)}},
		})
		require.NoError(q, err)
	})
	require.NotEqual(t, res.Steps[1].Response.Max(), res.Steps[1].Service.Max())
	require.NoError(t, res.WriteHLog(&b))
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, []string{
		"#[load scenario two lines, seed 1, response time in microseconds, Interval_Max in seconds]",
		"#[Histogram log format version 1.3]",
		"#[StartTime: 946684800 (seconds since epoch), 2000-01-01T00:00:00Z]",
		`"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`,
	}, lines[:4])
	require.Regexp(t, `^946684800\.000000,100\.0\d*,0\.`, lines[4])
	require.Regexp(t, `^Tag=a_b,946684800\.000000,100\.0\d*,0\.`, lines[5])

	in := hdrhistogram.NewHistogramLogReader(&b)
	var tags []string
	merged := hdrhistogram.New(1, result.LongestDuration.Microseconds(), 3)
	var peak int64
	for h, err := in.NextIntervalHistogram(); h != nil; h, err = in.NextIntervalHistogram() {
		require.NoError(t, err)
		if h.Tag() == "intervals" {
			require.Equal(t, res.Interval.Milliseconds(), h.EndTimeMs()-h.StartTimeMs())
			peak = max(peak, h.Max())
			merged.Merge(h)
			continue
		}
		want := &res.Response
		if len(tags) > 0 {
			want = &res.Steps[len(tags)-1].Response
		}
		require.Equal(t, want.Count(), h.TotalCount())
		require.True(t, h.ValuesAreEquivalent(want.Max().Microseconds(), h.Max()), h.Tag())
		tags = append(tags, h.Tag())
	}
	require.Equal(t, []string{"", "a_b", "a_b_", "intervals_"}, tags)
	require.Equal(t, res.Finished, merged.TotalCount())
	require.True(t, merged.ValuesAreEquivalent(res.Response.Max().Microseconds(), peak))
	for _, p := range []float64{50, 90, 99} {
		require.InEpsilon(t, res.Response.Percentile(p).Microseconds(), merged.ValueAtPercentile(p), 0.033)
	}
}

func TestHLogOfAResultFromJSONHasNoIntervals(t *testing.T) {
	var res *result.Result
	qtests.Run(t, func(q *qtests.T) {
		res = Run(q, Scenario{Traffic: traffic.Rate(1).For(10 * time.Second), Do: serve(0)})
	})
	text := jsonOf(t, res)
	again, err := result.Read(bytes.NewReader(text))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, again.WriteHLog(&b))
	require.Equal(t, 1, strings.Count(b.String(), "Tag="), b.String())
	require.NotContains(t, b.String(), "Tag=intervals")
}

func TestHLogReportsTheFirstErrorOfTheWriter(t *testing.T) {
	full := writerFunc(func([]byte) (int, error) { return 0, errors.New("disk full") })
	require.EqualError(t, (&result.Result{}).WriteHLog(full), "load: hlog: disk full")
}

func TestHLogIsReadByOthers(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, mixed())
		var b bytes.Buffer
		require.NoError(q, res.WriteHLog(&b))
		in := hdrhistogram.NewHistogramLogReader(strings.NewReader(b.String()))
		whole, err := in.NextIntervalHistogram()
		require.NoError(q, err)
		require.Equal(q, res.Finished, whole.TotalCount())
		require.True(q, whole.ValuesAreEquivalent(res.Response.Percentile(99).Microseconds(), whole.ValueAtPercentile(99)))
		step, err := in.NextIntervalHistogram()
		require.NoError(q, err)
		require.Equal(q, "a", step.Tag())
		require.Equal(q, res.Steps[0].Finished, step.TotalCount())
	})
}
