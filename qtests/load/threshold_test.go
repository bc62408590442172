package load

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestLimitsAreValidated(t *testing.T) {
	for want, limit := range map[string]threshold.Threshold{
		"avg is a duration such as 250ms, not Unit(9)": {Metric: "avg", Op: "<", Value: 1, Unit: 9},
		"not Unit(-1)":                               {Metric: "avg", Op: "<", Value: 1, Unit: -1},
		"value +Inf is not a finite number":          {Metric: "avg", Op: "<", Value: math.Inf(1), Unit: threshold.Seconds},
		"value NaN is not a finite number":           {Metric: "avg", Op: "<", Value: math.NaN(), Unit: threshold.Seconds},
		"value 150%: errors is never over 100%":      {Metric: "errors", Op: "<", Value: 150, Unit: threshold.Percent},
		"tag(eu) is not like tag(key=value)":         {Metric: "errors", Tag: "eu", Op: "<", Value: 50, Unit: threshold.Percent},
		"every 1µs: want at least 1ms":               {Metric: "errors", Op: "==", Every: time.Microsecond},
		`did you mean "errors<1%"`:                   {Metric: "errors", Op: "<", Value: 0.01},
		`unknown metric "mean"; did you mean "avg"?`: {Metric: "mean", Op: "<", Value: 1, Unit: threshold.Seconds},
	} {
		_, err := Do(t.Context(), Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: serve(0), Limits: []threshold.Threshold{limit}})
		require.ErrorContains(t, err, "load: Scenario.Limits[0]: ")
		require.ErrorContains(t, err, want)
	}
}

// mixed fails one request in ten of step b, and all of them in the third
// minute.
func mixed(thresholds ...string) Scenario {
	return Scenario{
		Traffic: traffic.Rate(10).For(5 * time.Minute),
		Steps: []Step{
			{Name: "a", Weight: 9, Do: func(ctx context.Context, u *User) error {
				u.Tag("region", "eu")
				u.Check("fast", u.Request()%4 != 0)
				return u.Sleep(ctx, 10*time.Millisecond)
			}},
			{Name: "b", Do: func(ctx context.Context, u *User) error {
				_ = u.Sleep(ctx, 100*time.Millisecond)
				if m := u.Intended() / time.Minute; m == 2 {
					return errors.New("no")
				}
				return nil
			}},
		},
		Thresholds: thresholds,
	}
}

func TestThresholdsAreEvaluated(t *testing.T) {
	keep := []string{
		"p(90)<=10ms", "p(91)>=100ms", "avg==19ms", "min==10ms", "max==100ms", "med==10ms",
		"requests==3000", "count==3000", "rate==10/s", "errors==60", "errors<=2%", "errors==0.2/s", "goodput<10/s",
		"step(a).p(99)<=10ms", "step(b).count==300", "step(b).errors==20%", "step(a).errors==0",
		"tag(region=eu).count==2700", "service.max==100ms", "late.max==0s", "checks>60%", "check(fast)<99%",
		"dropped==0", "dropped==0%", "retries==0", "panics==0", "interrupted==0", "in_flight<=2", "timeouts==0",
		"errors<=0.2% every 30s",
	}
	broken := map[string]string{
		"p(99)<100ms":                 "p(99)<100ms broken: 100ms",
		"errors<2%":                   "errors<2% broken: 2%",
		"step(b).errors<50% every 1m": "broken: 1 of 5 windows, the first from 2m0s, the worst at 100%",
		"rate>10/s every 1m":          "broken: 5 of 5 windows, the first from 0s, the worst at",
		"tag(region=us).avg<1s":       `cannot be evaluated: unknown tag "region=us"; did you mean "region=eu"?`,
		"check(fst)>1%":               `cannot be evaluated: unknown check "fst"; did you mean "fast"?`,
	}
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		all := append([]string{}, keep[:len(keep)-1]...)
		for text := range broken {
			all = append(all, text)
		}
		s := mixed(all...)
		s.Clock = q.Clock()
		res := Run(tb, s)
		failed := map[string]string{}
		for _, v := range res.Failed() {
			failed[v.Threshold] = v.String()
		}
		require.Len(t, failed, len(broken), "%v", failed)
		for text, want := range broken {
			require.Contains(t, failed[text], want)
		}
	})
	require.Equal(t, len(broken), strings.Count(rec.Errors(), "load: threshold"))
	require.Contains(t, rec.Errors(), "repeat with: go test github.com/go-qtests/qtests/qtests/load -run '^inner$' -qtests.seed=1")
}

// TestThresholdWithoutSamplesIsAnError starts three requests of which none ends.
func TestThresholdWithoutSamplesIsAnError(t *testing.T) {
	none, noWindow := "there are no samples", "no window had any samples"
	got := verdictsOf(t, Scenario{
		Traffic: traffic.Rate(1).For(3 * time.Second), NoGrace: true, Do: serve(time.Hour),
	}, map[string]string{
		"p(99)<1s": none, "errors<1%": none, "checks>1%": none, "errors==0": none, "errors<1/s": none, "goodput<5/s": none,
		"rate<5/s": none, "timeouts==0": none, "timeouts<1%": none, "panics==0": none, "step(load).errors==0": none,
		"late.max<1s":        "kept: 0s",
		"p(99)<1s every 1s":  noWindow,
		"errors==0 every 1s": noWindow,
		"rate<5/s every 1s":  noWindow,
		// What zero breaks is broken, and counts of what did not happen are zero.
		"goodput>1/s": "broken: 0/s", "rate>=1/s": "broken: 0/s", "requests>=1": "broken: 0", "errors>5": "broken: 0",
		"goodput>1/s every 1s": "broken: 3 of 3 windows, the first from 0s, the worst at 0/s",
		"requests==0":          "kept: 0", "count<5": "kept: 0", "dropped==0": "kept: 0", "retries==0": "kept: 0",
		"denied<1%": "kept: 0%", "interrupted==3": "kept: 3", "interrupted<50%": "broken: 100%",
		"dropped==0 every 1s": "kept: 0 in the worst of",
	})
	require.EqualValues(t, 3, got.Started)
}

func TestAbort(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"errors==0 abort":                    2*time.Minute + 1100*time.Millisecond, // looked at every second
		"errors==0 abort after 4m":           4*time.Minute + 10*time.Millisecond,
		"step(b).errors<10% every 30s abort": 2*time.Minute + 30*time.Second + 10*time.Millisecond,
	} {
		rec := in(t, func(q *qtests.T, tb tb.TB) {
			s := mixed(text)
			s.Clock = q.Clock()
			res := Run(tb, s)
			require.Contains(t, res.Halted, "broken")
			require.InDelta(t, want, res.Elapsed, float64(1200*time.Millisecond), text)
			require.Equal(t, res.Scheduled, res.Started+res.Dropped)
		})
		require.True(t, rec.Failed())
	}
}

var _ tb.TB = (*tbtest.TB)(nil)

// Three wrong thresholds are told in one run.
func TestAllWrongThresholdsAreNamed(t *testing.T) {
	_, err := Do(t.Context(), Scenario{
		Traffic: traffic.Rate(10).For(time.Second), Do: serve(0),
		Thresholds: []string{"p(99)<1s", "erors<1%", "p(95)<1s every 1h", "rate>10ms"},
		Limits:     []threshold.Threshold{{Metric: "avg", Op: "<", Value: 1, Unit: threshold.Seconds}, {Metric: "nonsense"}},
	})
	require.Error(t, err)
	for _, want := range []string{"erors", "every 1h", "rate>10ms", "Scenario.Limits[1]"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), `"p(99)<1s"`)
}
