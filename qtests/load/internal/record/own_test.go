package record

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

func measure(t *testing.T, r *Recorder, name, kind string, times bool) *Own {
	t.Helper()
	o, err := r.own(name, kind, times)
	require.NoError(t, err)
	return o
}

func TestOwnMetrics(t *testing.T) {
	r := New(time.Minute)
	for _, x := range []float64{3, -2, 1} {
		measure(t, r, "stock", Gauge, false).add(x)
		measure(t, r, "size", Trend, false).add(x + 10)
		measure(t, r, "huge", Counter, false).add(math.MaxFloat64)
		measure(t, r, "deep", Counter, false).add(-math.MaxFloat64)
		measure(t, r, "hit", Rate, false).mark(x > 0)
	}
	require.Equal(t, []result.MetricResult{
		{Name: "deep", Kind: Counter, Samples: 3, Sum: -math.MaxFloat64, Last: -math.MaxFloat64, Min: -math.MaxFloat64, Max: -math.MaxFloat64},
		{Name: "hit", Kind: Rate, Samples: 3, Passed: 2},
		{Name: "huge", Kind: Counter, Samples: 3, Sum: math.MaxFloat64, Last: math.MaxFloat64, Min: math.MaxFloat64, Max: math.MaxFloat64},
		{Name: "size", Kind: Trend, Samples: 3, Sum: 32, Last: 11, Min: 8, Max: 13, P50: 11, P90: 13, P95: 13, P99: 13},
		{Name: "stock", Kind: Gauge, Samples: 3, Sum: 2, Last: 1, Min: -2, Max: 3},
	}, rounded(r.Result(time.Minute).Metrics))
	_, err := json.Marshal(r.Result(time.Minute).Metrics)
	require.NoError(t, err, "a sum stays within what JSON can write")
}

// rounded takes the resolution of percentiles out.
func rounded(all []result.MetricResult) []result.MetricResult {
	for i := range all {
		for _, p := range []*float64{&all[i].P50, &all[i].P90, &all[i].P95, &all[i].P99} {
			*p = math.Round(*p)
		}
	}
	return all
}

// A name has one kind, and a hundred names are told apart.
func TestOwnMetricsHaveOneKindAndAreBounded(t *testing.T) {
	r := New(time.Minute)
	measure(t, r, "wait", Trend, true)
	for kind, want := range map[string]string{
		Trend: `metric "wait" is a trend of times, and cannot be a trend`,
		Gauge: `metric "wait" is a trend of times, and cannot be a gauge`,
	} {
		_, err := r.own("wait", kind, false)
		require.EqualError(t, err, want)
	}
	_, err := r.own("wait", Gauge, true)
	require.EqualError(t, err, `metric "wait" is a trend of times, and cannot be a gauge of times`)
	for i := range 98 {
		measure(t, r, fmt.Sprint("n", i), Counter, false)
	}
	require.Equal(t, "the hundredth", measure(t, r, "the hundredth", Counter, false).Name)
	require.Equal(t, "other counter", measure(t, r, "late", Counter, false).Name)
	require.Equal(t, "other trend of times", measure(t, r, "late too", Trend, true).Name)
	require.Same(t, measure(t, r, "late", Counter, false), measure(t, r, "later", Counter, false))
	require.Equal(t, "wait", measure(t, r, "wait", Trend, true).Name)
}

// A recorder that is restored from a result and its part answers as the one that counted.
func TestRestoredFromAResult(t *testing.T) {
	r := New(time.Minute)
	q := Request{Step: r.Step("buy", false), Tags: &Tags{[]Tag{{"zone", "a"}}}, Attempts: 1}
	r.Start(q.Step, 0)
	e := Ending{At: time.Second, Failed: true}
	r.End(&q, &e)
	r.Fail(&q, &e, &Failure{Kind: "slow", Timeout: true})
	r.AwaitRetry()
	r.Retry(q.Step, time.Second)
	r.Deny(q.Step)
	r.Check("ok", true)
	measure(t, r, "size", Trend, false).add(7)
	res := r.Result(time.Minute)
	res.Part = &result.Part{}
	bare := Restore(res)
	require.Zero(t, bare.Steps["buy"].Timeouts, "only a part has it")
	require.Zero(t, bare.Own["size"].Percentile(50))

	r.Fill(res.Part, res)
	back := Restore(res)
	for i := range res.Timeline {
		require.Equal(t, r.timeline.points[i].times, res.Part.Intervals[i])
	}
	for _, x := range []struct{ want, got *Tally }{{r.Steps["buy"], back.Steps["buy"]}, {r.Tag(q.Tags.All()[0]), back.Tag(q.Tags.All()[0])}} {
		want := *x.want
		want.Started, want.curve = 1, nil // a tag does not count what starts
		require.Equal(t, want, *x.got)
	}
	require.Equal(t, *r.Own["size"], *back.Own["size"])
	require.Equal(t, *r.Checks["ok"], *back.Checks["ok"])
	require.Equal(t, []int64{r.Timeouts, r.Retries, r.Denied}, []int64{back.Timeouts, back.Retries, back.Denied})
}
