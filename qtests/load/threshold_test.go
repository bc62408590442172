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
	"github.com/go-qtests/qtests/qtests/load/traffic"
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
		"errors < 1 %":                        {Metric: "errors", Op: "<", Value: 1, Unit: Percent},
		"p(99) < 250 ms every  1m":            {Metric: "p", Percentile: 99, Op: "<", Value: 0.25, Unit: Seconds, Every: time.Minute},
		"rate>=10 /s abort":                   {Metric: "rate", Op: ">=", Value: 10, Unit: PerSecond, Abort: true},
		"late.max<1ms every 1ms":              {Late: true, Metric: "max", Op: "<", Value: 0.001, Unit: Seconds, Every: time.Millisecond},
		"check(a)>=100% every 1s":             {Check: "a", Metric: "checks", Op: ">=", Value: 100, Unit: Percent, Every: time.Second},
		"retries<=150%":                       {Metric: "retries", Op: "<=", Value: 150, Unit: Percent},
		"step(a).denied==0 every 1s":          {Step: "a", Metric: "denied", Op: "==", Unit: Count, Every: time.Second},
		"tag(a=b).timeouts<1/s":               {Tag: "a=b", Metric: "timeouts", Op: "<", Value: 1, Unit: PerSecond},
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
		"":                         "wants a metric",
		"p99<1s":                   `unknown metric "p99"; did you mean "p(99)"?`,
		"eror<1%":                  `unknown metric "eror"; did you mean "errors"?`,
		"drop==0":                  `unknown metric "drop"; did you mean "dropped"?`,
		"latency<1s":               `unknown metric "latency"; did you mean "p(x)" or "avg" or "min" or "max", as in p(95)<1s?`,
		"Response<1s":              `unknown metric "Response"; did you mean "p(x)"`,
		"mean<1s":                  `unknown metric "mean"; did you mean "avg"?`,
		"median<1s":                `unknown metric "median"; did you mean "med"?`,
		"bytes<1":                  `unknown metric "bytes"; known: avg, checks,`,
		"check(b).rate>1%":         "check(b) is compared as it is, as in check(b)>99%",
		"step(a).step(b).avg<1s":   "step is out of place",
		"service.service.avg<1s":   "service is out of place",
		"rate(5)<1/s":              "rate takes no argument",
		"p(99)<":                   `wants a value after "p(99)<"`,
		"p(99)<250 every 1m":       "p(99) is a duration such as 250ms, not a plain number",
		"p<1s":                     "p wants a number",
		"p(x)<1s":                  "p(x): not a number",
		"p(101)<1s":                "percentile 101 is not between 0 and 100",
		"p(99)":                    `wants one of <= >= == != < > after "p(99)"`,
		"p(99)=<1s":                "wants one of",
		"p(99)<1":                  "p(99) is a duration such as 250ms, not a plain number",
		"p(99)<1%":                 "p(99) is a duration such as 250ms, not a share",
		"errors<1s":                "errors is a share such as 1% or a plain number or a rate such as 100/s, not a duration",
		"rate>100":                 "rate is a rate such as 100/s, not a plain number",
		"checks>0.9":               "checks is a share",
		"p(99)<fast":               `value "fast" is no number, percentage, rate (/s) or duration`,
		"errors<NaN%":              `value "NaN" is not a finite number`,
		"errors<Inf":               `value "Inf" is no number`,
		"step(a)<1s":               `wants a metric after "step"`,
		"step(a.p(99)<1s":          "step( is not closed",
		"step().p(99)<1s":          "step() is empty",
		"step(a).dropped==0":       "dropped is not counted by step",
		"step(a).tag(b=c).avg<1s":  "more than one of step, tag and check",
		"tag(eu).avg<1s":           "tag(eu) is not like tag(key=value)",
		"service.errors<1%":        "errors is no time",
		"in_flight<5 every 1m":     "in_flight is not kept by windows",
		"tag(a=b).retries==0":      "retries is not counted by tag",
		"late.service.avg<1s":      "late goes with the whole run and its windows only",
		"avg<1s every 1ns":         `threshold "avg<1s every 1ns": every 1ns: want at least 1ms`,
		"avg<1s every":             "every wants a duration, as in every 30s",
		"avg<1s every x":           "every x: want a duration",
		"avg<1s every 1m every 1s": "every is there twice",
		"avg<1s abort abort":       "abort is there twice",
		"avg<1s abort after":       "abort after wants a duration, as in abort after 30s",
		"avg<1s abort after -1s":   "the duration is negative",
		"avg<1s after 1s":          "after goes with abort",
		"errors<150%":              "value 150%: errors is never over 100%",
		"p(99)<-5ms":               "value -5ms: p(99) is never below zero",
		"errors<0":                 "errors<0 can never hold",
		"checks>100%":              "checks>100% can never hold",
		"p(99)<250ms,errors<1%":    "one threshold per string",
		"p(99)<250ms, errors<1%":   "one threshold per string",
		"p(99)<1s every 1m; avg<1": "one threshold per string",
		"p(99)<1s && check(a)>1%":  "one threshold per string",
		"p(95)<1s abort 10s":       `abort 10s: did you mean "abort after 10s"?`,
		"p(95)<300ms for 1m":       `unknown option "for"; did you mean "every 1m"?`,
		"p(95)<300ms 1m":           `1m is out of place; did you mean "every 1m"?`,
		"p(95)<300ms abrt 1m":      `unknown option "abrt"; did you mean "abort"?`,
		"errors<0.01":              `value 0.01: a plain number is a count; did you mean "errors<1%", which is a share?`,
		"step(a).errors<=0.07":     `did you mean "step(a).errors<=7%"`,
		"errors<1.5":               "value 1.5: errors is a whole number",
		"count>0.5":                "value 0.5: count is a whole number",
		"avg<1s evry 1m":           `unknown option "evry"; did you mean "every"?`,
		"avg<1s every 0s":          "want a positive duration",
		"avg<1s abort after x":     "abort after x",
	} {
		_, err := ParseThreshold(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestLimitsAreValidated(t *testing.T) {
	for want, limit := range map[string]Threshold{
		"avg is a duration such as 250ms, not Unit(9)": {Metric: "avg", Op: "<", Value: 1, Unit: 9},
		"not Unit(-1)":                               {Metric: "avg", Op: "<", Value: 1, Unit: -1},
		"value +Inf is not a finite number":          {Metric: "avg", Op: "<", Value: math.Inf(1), Unit: Seconds},
		"value NaN is not a finite number":           {Metric: "avg", Op: "<", Value: math.NaN(), Unit: Seconds},
		"value 150%: errors is never over 100%":      {Metric: "errors", Op: "<", Value: 150, Unit: Percent},
		"tag(eu) is not like tag(key=value)":         {Metric: "errors", Tag: "eu", Op: "<", Value: 50, Unit: Percent},
		"every 1µs: want at least 1ms":               {Metric: "errors", Op: "==", Every: time.Microsecond},
		`did you mean "errors<1%"`:                   {Metric: "errors", Op: "<", Value: 0.01},
		`unknown metric "mean"; did you mean "avg"?`: {Metric: "mean", Op: "<", Value: 1, Unit: Seconds},
	} {
		_, err := Do(t.Context(), Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: serve(0), Limits: []Threshold{limit}})
		require.ErrorContains(t, err, "load: Scenario.Limits[0]: ")
		require.ErrorContains(t, err, want)
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

// Whoever wrote three wrong ones should not have to run the test three times.
func TestAllWrongThresholdsAreNamed(t *testing.T) {
	_, err := Do(t.Context(), Scenario{
		Traffic: traffic.Rate(10).For(time.Second), Do: serve(0),
		Thresholds: []string{"p(99)<1s", "erors<1%", "p(95)<1s every 1h", "rate>10ms"},
		Limits:     []Threshold{{Metric: "avg", Op: "<", Value: 1, Unit: Seconds}, {Metric: "nonsense"}},
	})
	require.Error(t, err)
	for _, want := range []string{"erors", "every 1h", "rate>10ms", "Scenario.Limits[1]"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), `"p(99)<1s"`)
}
