package threshold

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
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
		"metric(orders)>=100":                 {Own: "orders", Op: ">=", Value: 100},
		"metric(orders).rate>0.5/s":           {Own: "orders", Metric: "rate", Op: ">", Value: 0.5, Unit: PerSecond},
		"metric(a.b && c).last<-2.5":          {Own: "a.b && c", Metric: "last", Op: "<", Value: -2.5},
		"metric(cache hit)>95%":               {Own: "cache hit", Op: ">", Value: 95, Unit: Percent},
		"metric(render).p(99.9)<20ms abort":   {Own: "render", Metric: "p", Percentile: 99.9, Op: "<", Value: 0.02, Unit: Seconds, Abort: true},
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := Parse(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again, "what String writes is read as the same")
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "wants a metric",
		"p99<1s":                           `unknown metric "p99"; did you mean "p(99)"?`,
		"eror<1%":                          `unknown metric "eror"; did you mean "errors"?`,
		"drop==0":                          `unknown metric "drop"; did you mean "dropped"?`,
		"latency<1s":                       `unknown metric "latency"; did you mean "p(x)" or "avg" or "min" or "max", as in p(95)<1s?`,
		"Response<1s":                      `unknown metric "Response"; did you mean "p(x)"`,
		"mean<1s":                          `unknown metric "mean"; did you mean "avg"?`,
		"median<1s":                        `unknown metric "median"; did you mean "med"?`,
		"bytes<1":                          `unknown metric "bytes"; known: avg, checks,`,
		"check(b).rate>1%":                 "check(b) is compared as it is, as in check(b)>99%",
		"step(a).step(b).avg<1s":           "step is out of place",
		"service.service.avg<1s":           "service is out of place",
		"rate(5)<1/s":                      "rate takes no argument",
		"p(99)<":                           `wants a value after "p(99)<"`,
		"p(99)<250 every 1m":               "p(99) is a duration such as 250ms, not a plain number",
		"p<1s":                             "p wants a number",
		"p(x)<1s":                          "p(x): not a number",
		"p(101)<1s":                        "percentile 101 is not between 0 and 100",
		"p(99)":                            `wants one of <= >= == != < > after "p(99)"`,
		"p(99){step:pay}<5ms":              `has a { after "p(99)": of one step it is step(NAME).p(99), of one tag tag(KEY=VALUE).p(99)`,
		"p(99)=<1s":                        "wants one of",
		"p(99)<1":                          "p(99) is a duration such as 250ms, not a plain number",
		"p(99)<1%":                         "p(99) is a duration such as 250ms, not a share",
		"errors<1s":                        "errors is a share such as 1% or a plain number or a rate such as 100/s, not a duration",
		"rate>100":                         "rate is a rate such as 100/s, not a plain number",
		"checks>0.9":                       "checks is a share",
		"p(99)<fast":                       `value "fast" is no number, percentage, rate (/s) or duration`,
		"errors<NaN%":                      `value "NaN" is not a finite number`,
		"errors<Inf":                       `value "Inf" is no number`,
		"step(a)<1s":                       `wants a metric after "step"`,
		"step(a.p(99)<1s":                  "step( is not closed",
		"step().p(99)<1s":                  "step() is empty",
		"step(a).dropped==0":               "dropped is not counted by step",
		"step(a).tag(b=c).avg<1s":          "more than one of step, tag, check and metric",
		"tag(eu).avg<1s":                   "tag(eu) is not like tag(key=value)",
		"service.errors<1%":                "errors is no time",
		"in_flight<5 every 1m":             "in_flight is not kept by windows",
		"tag(a=b).retries==0":              "retries is not counted by tag",
		"late.service.avg<1s":              "late goes with the whole run and its windows only",
		"avg<1s every 1ns":                 `threshold "avg<1s every 1ns": every 1ns: want at least 1ms`,
		"avg<1s every":                     "every wants a duration, as in every 30s",
		"avg<1s every x":                   "every x: want a duration",
		"avg<1s every 1m every 1s":         "every is there twice",
		"avg<1s abort abort":               "abort is there twice",
		"avg<1s abort after":               "abort after wants a duration, as in abort after 30s",
		"avg<1s abort after -1s":           "the duration is negative",
		"avg<1s after 1s":                  "after goes with abort",
		"errors<150%":                      "value 150%: errors is never over 100%",
		"p(99)<-5ms":                       "value -5ms: p(99) is never below zero",
		"errors<0":                         "errors<0 can never hold",
		"checks>100%":                      "checks>100% can never hold",
		"p(99)<250ms,errors<1%":            "one threshold per string",
		"p(99)<250ms, errors<1%":           "one threshold per string",
		"p(99)<1s every 1m; avg<1":         "one threshold per string",
		"p(99)<1s && check(a)>1%":          "one threshold per string",
		"p(95)<1s abort 10s":               `abort 10s: did you mean "abort after 10s"?`,
		"p(95)<300ms for 1m":               `unknown option "for"; did you mean "every 1m"?`,
		"p(95)<300ms 1m":                   `1m is out of place; did you mean "every 1m"?`,
		"p(95)<300ms abrt 1m":              `unknown option "abrt"; did you mean "abort"?`,
		"errors<0.01":                      `value 0.01: a plain number is a count; did you mean "errors<1%", which is a share?`,
		"step(a).errors<=0.07":             `did you mean "step(a).errors<=7%"`,
		"errors<1.5":                       "value 1.5: errors is a whole number",
		"count>0.5":                        "value 0.5: count is a whole number",
		"avg<1s evry 1m":                   `unknown option "evry"; did you mean "every"?`,
		"avg<1s every 0s":                  "want a positive duration",
		"avg<1s abort after x":             "abort after x",
		"errors>=0%":                       `errors>=0% always holds, and so can never fail; did you mean "errors==0"?`,
		"errors>=0":                        `did you mean "errors==0"?`,
		"errors<=100%":                     "errors<=100% always holds, and so can never fail",
		"p(99)>=0s":                        `p(99)>=0s always holds, and so can never fail; did you mean "p(99)<250ms" or the like?`,
		"late.max>=0ms":                    "late.max>=0s always holds",
		"p(99)<=24h":                       "p(99)<=24h0m0s always holds",
		"max<30h":                          "value 30h0m0s: a time over 24h0m0s is counted as that",
		"min>24h":                          "min>24h0m0s can never hold",
		"rate>=0/s":                        `did you mean "rate>0/s"?`,
		"requests>=0 every 1m":             `did you mean "requests>0"?`,
		"check(a)>=0%":                     "always holds",
		"checks>=0%":                       "always holds",
		"dropped>=0":                       `did you mean "dropped==0"?`,
		"interrupted<=100%":                "always holds",
		"in_flight>=0":                     "always holds",
		"retries>=0%":                      "always holds",
		"metric(hit)>=0%":                  "metric(hit)>=0% always holds",
		"metric(a).count>=0":               "always holds",
		"metric(a)":                        `wants one of <= >= == != < > after "metric(a)"`,
		"metric(a).x<1":                    `unknown metric "x"`,
		"metric(a).errors<1":               `unknown value of a metric of your own "errors"; known: count, rate, last`,
		"metric()<1":                       "metric() is empty",
		"metric<1":                         "metric is out of place",
		"metric(a).last<1 every 1m":        "last is not kept by windows",
		"metric(a).last<1s":                "metric(a).last is a plain number, not a duration",
		"step(a).metric(b)<1":              "more than one of step, tag, check and metric",
		"p99.9<1s":                         `unknown metric "p99.9"; did you mean "p(99.9)"?`,
		"step(a).p99.95<1s":                `unknown metric "p99.95"; did you mean "p(99.95)"?`,
		"P95<1s":                           `unknown metric "P95"; did you mean "p(95)"?`,
		"p(99%)<1s":                        `p(99%): not a number; did you mean "p(99)"?`,
		"p(95)<500":                        `did you mean "p(95)<500ms"?`,
		"checks>=0.99":                     `did you mean "checks>=99%"?`,
		"rate<0.01":                        `did you mean "errors<1%"?`,
		"rate>0.9":                         `did you mean "checks>90%"?`,
		"http_req_duration<1s":             `did you mean "p(x)" or "avg" or "min" or "max", as in p(95)<1s?`,
		"http_req_duration{status:200}<1s": `did you mean "p(x)"`,
		"http_req_failed<1%":               `unknown metric "http_req_failed"; did you mean "errors"?`,
		"http_reqs>100":                    `did you mean "requests" or "rate"?`,
		"iterations>100":                   `did you mean "requests" or "rate"?`,
		"iteration_duration<1s":            `did you mean "p(x)"`,
		"dropped_iterations<1":             `did you mean "dropped"?`,
		"vus<100":                          `did you mean "in_flight"?`,
		"vus_max<100":                      `did you mean "in_flight"?`,
		"http_req_waiting<1s":              `did you mean "service.p(x)", as in p(95)<1s?`,
		"p(99)<1s || errors<1%":            "there is no or",
		"p(99)<1s or errors<1%":            "there is no or",
	} {
		_, err := Parse(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("step(a).p(99)<1s every 1m abort after 3s")
	f.Add("tag(a=b).errors<=1%")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(got.String())
		require.NoError(t, err, "%q -> %q", text, got)
		require.Equal(t, got, again)
	})
}

func TestParseAll(t *testing.T) {
	fast := Threshold{Metric: "p", Percentile: 95, Op: "<", Value: 0.2, Unit: Seconds}
	sound := Threshold{Metric: "errors", Op: "<", Value: 1, Unit: Percent}
	step := Threshold{Step: "a && b and c", Metric: "count", Op: ">", Value: 3}
	with := func(t Threshold) Threshold {
		t.Every, t.Abort, t.AbortAfter = time.Minute, true, 2*time.Second
		return t
	}
	for text, want := range map[string][]Threshold{
		"p(95)<200ms":                                             {fast},
		"p(95)<200ms && errors<1%":                                {fast, sound},
		"p(95)<200ms&&errors<1%":                                  {fast, sound},
		"p(95) < 200 ms and errors < 1 %":                         {fast, sound},
		"p(95)<200ms AND errors<1%":                               {fast, sound},
		"step(a && b and c).count>3 && p(95)<200ms and errors<1%": {step, fast, sound},
		"p(95)<200ms && errors<1% every 1m abort after 2s":        {with(fast), with(sound)},
	} {
		got, err := ParseAll(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := ParseAll(Join(got...))
		require.NoError(t, err)
		require.Equal(t, got, again, "what Join writes is read as the same")
	}
	for text, want := range map[string]string{
		"p(95)<200ms && ":                        `load: threshold "p(95)<200ms && ": condition 2: wants a metric`,
		"&& p(95)<200ms":                         "condition 1: wants a metric",
		"p(95)<200ms && erors<1%":                `condition 2: unknown metric "erors"; did you mean "errors"?`,
		"p(95)<200ms every 1m && errors<1%":      "condition 1: every and abort stand after the last condition, and hold for all",
		"in_flight<5 && errors<1% every 1m":      "condition 1: in_flight is not kept by windows",
		"p(95)<200ms, errors<1%":                 "&& joins conditions that have to hold together",
		"p(95)<200ms && errors<1% || panics==0":  "condition 2: there is no or",
		"p(95)<200ms and errors<1% or checks>1%": "condition 2: there is no or",
		"p(95)<200ms && errors>=0%":              "condition 2: errors>=0% always holds",
	} {
		_, err := ParseAll(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParseAll(f *testing.F) {
	f.Add("step(a).p(99)<1s && errors<1% every 1m abort after 3s")
	f.Add("metric(a)<1 and tag(a=b).errors<=1%")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseAll(text)
		if err != nil {
			return
		}
		again, err := ParseAll(Join(got...))
		require.NoError(t, err, "%q -> %q", text, Join(got...))
		require.Equal(t, got, again)
	})
}
