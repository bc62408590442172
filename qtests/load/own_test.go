package load

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// measured uses a metric of every kind in 100 requests, one each 100 ms.
func measured(ctx context.Context, u *User) error {
	n := float64(u.ID())
	u.Count("orders", 2)
	u.Count("never", 0)
	u.Gauge("queue", n-50)
	if !u.Rate("cache hit", u.ID()%10 != 0) {
		u.Count("cache misses", 1)
	}
	u.Trend("bytes", n*n)
	u.TrendTime("render", time.Duration(u.ID())*time.Millisecond)
	return nil
}

func TestMetricsOfTheScenario(t *testing.T) {
	kind := "cannot be evaluated: "
	res := verdictsOf(t, Scenario{Traffic: traffic.Rate(10).For(10 * time.Second), Do: measured}, map[string]string{
		"metric(orders)>=200":              "kept: 200",
		"metric(orders).count<200":         "broken: 200",
		"metric(orders).rate==20/s":        "kept: 20/s",
		"metric(never)==0":                 "kept: 0",
		"metric(queue)==50":                "kept: 50",
		"metric(queue).min<-48":            "kept: -49",
		"metric(queue).max<=50":            "kept: 50",
		"metric(cache hit)>=90%":           "kept: 90%",
		"metric(cache hit)>95%":            "broken: 90%",
		"metric(cache hit).count==100":     "kept: 100",
		"metric(bytes).p(95)<=9025":        "kept: 9,025",
		"metric(bytes).med==2500":          "kept: 2,500",
		"metric(bytes).avg<3384":           "kept: 3383.5",
		"metric(bytes).min==1":             "kept: 1",
		"metric(bytes).max>1e4":            "broken: 10,000",
		"metric(bytes).count==100":         "kept: 100",
		"metric(render).p(99)<=99ms":       "kept: 99ms",
		"metric(render).avg==50.5ms":       "kept: 50.5ms",
		"metric(bytes)<5":                  kind + "metric(bytes) is a trend; it has .avg, .min, .max, .med, .p(x), .count",
		"metric(orders).p(95)<5":           kind + "metric(orders) is a counter; it has metric(orders), .rate",
		"metric(queue).avg<5":              kind + "metric(queue) is a gauge; it has metric(queue), .min, .max",
		"metric(cache hit)>5":              kind + "metric(cache hit) of a rate is a share such as 1%, not a plain number",
		"metric(render).p(99)<5":           kind + "metric(render).p(99) of a trend is a duration such as 250ms, not a plain number",
		"metric(orders)>=0":                kind + "metric(orders)>=0 always holds, and so can never fail: a counter is never below zero",
		"metric(oders)>=1":                 kind + `unknown metric of your own "oders"; did you mean "orders"?`,
		"metric(orders)>1 && errors<1%":    "kept: metric(orders) kept: 200, errors kept: 0%",
		"metric(orders)>1 and requests<50": "broken: metric(orders) kept: 200, requests broken: 100",
		"metric(oders)>1 && errors<1%":     kind + `metric(oders): unknown metric of your own "oders"`,
	})
	require.Equal(t, []string{"bytes", "cache hit", "cache misses", "never", "orders", "queue", "render"}, names(res.Metrics))
	require.Equal(t, result.MetricResult{Name: "orders", Kind: "counter", Samples: 100, Sum: 200, Last: 2, Min: 2, Max: 2}, res.Metrics[4])
	require.Equal(t, result.MetricResult{Name: "cache hit", Kind: "rate", Samples: 100, Passed: 90}, res.Metrics[1])
	require.Equal(t, result.MetricResult{Name: "bytes", Kind: "trend", Samples: 100, Sum: 338350, Last: 10000, Min: 1, Max: 10000,
		P50: 2500, P90: 8100, P95: 9025, P99: 9801}, res.Metrics[0])

	for _, line := range []string{
		"  metric bytes: p50 2,500  p90 8,100  p95 9,025  p99 9,801  max 10,000  mean 3,384  of 100\n",
		"  metric cache hit: 90%, 90 of 100\n", "  metric orders: 200, 20/s\n", "  metric queue: last 50  min -49  max 50\n",
		"  metric render: p50 50ms  p90 90ms  p95 95ms  p99 99ms  max 100ms  mean 50.5ms  of 100\n",
	} {
		require.Contains(t, res.String(), line)
	}
	var page strings.Builder
	require.NoError(t, res.WriteHTML(&page))
	require.Contains(t, page.String(), "cache hit")
	require.Contains(t, page.String(), "90%, 90 of 100")
	again, err := result.Read(strings.NewReader(string(jsonOf(t, res))))
	require.NoError(t, err)
	require.Equal(t, res.Metrics, again.Metrics)
}

func names(all []result.MetricResult) (out []string) {
	for _, m := range all {
		out = append(out, m.Name)
	}
	return out
}

func TestMetricsThatAreMisused(t *testing.T) {
	for want, do := range map[string]func(u *User){
		`load: Gauge: metric "a" is a counter, and cannot be a gauge`:            func(u *User) { u.Count("a", 1); u.Gauge("a", 1) },
		`load: TrendTime: metric "a" is a trend, and cannot be a trend of times`: func(u *User) { u.Trend("a", 1); u.TrendTime("a", 1) },
		`load: Count("a"): -1 is negative: use Gauge`:                            func(u *User) { u.Count("a", -1) },
		`load: Trend("a"): NaN is not a finite number`:                           func(u *User) { u.Trend("a", math.NaN()) },
		`load: Count("a"): +Inf is not a finite number`:                          func(u *User) { u.Count("a", math.Inf(1)) },
	} {
		rec := in(t, func(q *qtests.T, tb tb.TB) {
			res := Run(tb, Scenario{Clock: q.Clock(), Traffic: traffic.Rate(1).For(2 * time.Second), Do: func(_ context.Context, u *User) error { do(u); return nil }})
			require.EqualValues(t, 2, res.Errors, "the lock came back")
		})
		require.Contains(t, rec.Errors(), want)
	}
}

// A metric that a threshold watches ends the run while it lasts.
func TestMetricsAbort(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{
			Traffic: traffic.Rate(10).For(time.Hour), Thresholds: []string{"metric(misses)<=20 && p(99)<1s abort"},
			Do: func(_ context.Context, u *User) error { u.Count("misses", 1); return nil },
		})
		require.Equal(q, "load: threshold metric(misses)<=20 abort of metric(misses)<=20 && p(99)<1s abort broken: 29 at 3s", res.Halted)
		require.Equal(q, 2900*time.Millisecond, res.Elapsed)
		require.Equal(q, "metric(misses)<=20 && p(99)<1s abort broken: metric(misses) broken: 29, p(99) kept: 0s", res.Thresholds[0].String())
	})
}

func TestManyMetrics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := resultOf(q, Scenario{Traffic: traffic.Rate(1).For(150 * time.Second), Do: func(_ context.Context, u *User) error {
			u.Count("n"+string(rune('a'+u.ID()%26))+strings.Repeat("x", int(u.ID()/26)), 1)
			return nil
		}})
		require.Len(q, res.Metrics, 101)
		sum := 0.0
		for _, m := range res.Metrics {
			sum += m.Sum
		}
		require.InDelta(q, 150, sum, 0, "nothing is lost")
	})
}

// TestInterruptedRequestsAreSaid has 596 requests of 600 that are still under way at the end.
func TestInterruptedRequestsAreSaid(t *testing.T) {
	left := "; 596 of 600 requests were interrupted, and are not counted"
	res := verdictsOf(t, Scenario{
		Traffic: traffic.Rate(10).For(time.Minute), NoGrace: true,
		Steps: []Step{{Name: "a", Do: func(ctx context.Context, u *User) error {
			if u.ID() <= 4 {
				return nil
			}
			return u.Sleep(ctx, time.Hour)
		}}},
	}, map[string]string{
		"errors<1%": "kept: 0%" + left, "p(99)<1s": "kept: 0s" + left, "step(a).errors==0": "kept: 0" + left, "goodput>0/s && errors==0": left,
		"errors<1% every 10s": left, "interrupted<1%": "broken: 99.33%", "dropped==0": "kept: 0", "in_flight>5": "kept: 596",
	})
	for _, v := range res.Thresholds {
		require.Equal(t, strings.Contains(v.String(), "were interrupted"), v.Note != "")
		if v.Threshold == "dropped==0" || v.Threshold == "in_flight>5" || v.Threshold == "interrupted<1%" {
			require.Empty(t, v.Note)
		}
	}
	require.Contains(t, res.String(), "✓ errors<1%  (0%"+left+")")
	text, err := json.Marshal(res.Thresholds)
	require.NoError(t, err)
	require.Contains(t, string(text), `"note":"596 of 600 requests were interrupted, and are not counted"`)
}

// Windows that move with the scale keep all conditions of a threshold.
func TestConditionsAreScaled(t *testing.T) {
	s := Scenario{Scalable: true, Thresholds: []string{"rate>1/s && errors<1% every 10s", "p(99)<1s and errors<1%"}}
	s.scaleThresholds(0.1)
	require.Equal(t, []string{"rate>1/s && errors<1% every 1s", "p(99)<1s and errors<1%"}, s.Thresholds)
}
