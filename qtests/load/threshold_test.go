package load

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestParseThreshold(t *testing.T) {
	for text, want := range map[string]Threshold{
		"p(99)<250ms":                         {Metric: "p", Percentile: 99, Op: "<", Value: 0.25, Unit: Seconds},
		" p(99.9) <= 1.5s ":                   {Metric: "p", Percentile: 99.9, Op: "<=", Value: 1.5, Unit: Seconds},
		"errors<1%":                           {Metric: "errors", Op: "<", Value: 1, Unit: Percent},
		"errors==0":                           {Metric: "errors", Op: "==", Unit: Count},
		"step(checkout).p(95)<=300ms":         {Step: "checkout", Metric: "p", Percentile: 95, Op: "<=", Value: 0.3, Unit: Seconds},
		"step(GET /a(b).c).max<1s":            {Step: "GET /a(b).c", Metric: "max", Op: "<", Value: 1, Unit: Seconds},
		"tag(region=eu).rate>10/s":            {Tag: "region=eu", Metric: "rate", Op: ">", Value: 10, Unit: PerSecond},
		"check(body ok)>99%":                  {Check: "body ok", Metric: "checks", Op: ">", Value: 99, Unit: Percent},
		"service.med<5ms":                     {Service: true, Metric: "med", Op: "<", Value: 0.005, Unit: Seconds},
		"late.p(99)<1ms":                      {Late: true, Metric: "p", Percentile: 99, Op: "<", Value: 0.001, Unit: Seconds},
		"p(99)<1s every 1m":                   {Metric: "p", Percentile: 99, Op: "<", Value: 1, Unit: Seconds, Every: time.Minute},
		"errors<50% every 10s abort after 1m": {Metric: "errors", Op: "<", Value: 50, Unit: Percent, Every: 10 * time.Second, Abort: true, AbortAfter: time.Minute},
		"dropped==0 abort":                    {Metric: "dropped", Op: "==", Unit: Count, Abort: true},
	} {
		got, err := ParseThreshold(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := ParseThreshold(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again, "what String writes is read as the same")
	}
}

func TestParseThresholdErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "wants a metric",
		"p99<1s":                  `unknown metric "p99"; did you mean "p(99)"?`,
		"eror<1%":                 `unknown metric "eror"; did you mean "errors"?`,
		"drop==0":                 `unknown metric "drop"; did you mean "dropped"?`,
		"latency<1s":              `unknown metric "latency"; known: avg, checks,`,
		"p<1s":                    "p wants a number",
		"p(x)<1s":                 "p(x): not a number",
		"p(101)<1s":               "percentile 101 is not between 0 and 100",
		"p(99)":                   `wants one of <= >= == != < > after "p(99)"`,
		"p(99)=<1s":               "wants one of",
		"p(99)<1":                 "p(99) is a duration such as 250ms, not a plain number",
		"p(99)<1%":                "p(99) is a duration such as 250ms, not a share",
		"errors<1s":               "errors is a share such as 1% or a plain number or a rate such as 100/s, not a duration",
		"rate>100":                "rate is a rate such as 100/s, not a plain number",
		"checks>0.9":              "checks is a share",
		"p(99)<fast":              `value "fast" is no number, percentage, rate (/s) or duration`,
		"errors<NaN%":             `value "NaN" is not a finite number`,
		"errors<Inf":              `value "Inf" is no number`,
		"step(a)<1s":              `wants a metric after "step"`,
		"step(a.p(99)<1s":         "step( is not closed",
		"step().p(99)<1s":         "step() is empty",
		"step(a).dropped==0":      "dropped is not counted by step",
		"step(a).tag(b=c).avg<1s": "more than one of step, tag and check",
		"tag(eu).avg<1s":          "tag(eu) is not like tag(key=value)",
		"service.errors<1%":       "errors is no time",
		"dropped==0 every 1m":     "dropped is not kept by windows",
		"avg<1s evry 1m":          `unknown option "evry"; did you mean "every"?`,
		"avg<1s every 0s":         "want a positive duration",
		"avg<1s abort after x":    "abort after x",
	} {
		_, err := ParseThreshold(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParseThreshold(f *testing.F) {
	f.Add("step(a).p(99)<1s every 1m abort after 3s")
	f.Add("tag(a=b).errors<=1%")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseThreshold(text)
		if err != nil {
			return
		}
		again, err := ParseThreshold(got.String())
		require.NoError(t, err, "%q -> %q", text, got)
		require.Equal(t, got, again)
	})
}

// mixed fails one request in ten of step b, and all of them in the third
// minute.
func mixed(thresholds ...string) Scenario {
	return Scenario{
		Profile: Rate(10).For(5 * time.Minute),
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
	rec := in(t, func(q *qtests.T, tb qtests.TB) {
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

func TestThresholdWithoutSamplesIsAnError(t *testing.T) {
	rec := in(t, func(q *qtests.T, tb qtests.TB) {
		Run(tb, Scenario{
			Clock: q.Clock(), Profile: Rate(1).For(2 * time.Second), NoGrace: true, Do: serve(time.Hour),
			Thresholds: []string{"p(99)<1s", "errors<1%", "checks>1%", "p(99)<1s every 1s", "errors==0"},
		})
	})
	require.Equal(t, 4, strings.Count(rec.Errors(), "load: threshold"), "a count of nothing is zero; %q", rec.Errors())
	require.Contains(t, rec.Errors(), "p(99)<1s cannot be evaluated: there are no samples")
	require.Contains(t, rec.Errors(), "no window had any samples")
}

func TestAbort(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"errors==0 abort":                    2*time.Minute + 1100*time.Millisecond, // looked at every second
		"errors==0 abort after 4m":           4*time.Minute + 10*time.Millisecond,
		"step(b).errors<10% every 30s abort": 2*time.Minute + 30*time.Second + 10*time.Millisecond,
	} {
		rec := in(t, func(q *qtests.T, tb qtests.TB) {
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

var _ qtests.TB = (*tbtest.TB)(nil)
