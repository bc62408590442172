package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// outage is a scenario with something to see in every chart but those of a
// monitor.
func outage(q *qtests.T) Scenario {
	var down atomic.Bool // the requests are goroutines
	stream := tb.StreamOf(q, "latency")
	latency := latency.LogNormal(8*time.Millisecond, 60*time.Millisecond)
	return Scenario{
		Name:    "shop",
		Traffic: traffic.Rate(0).To(50, time.Minute).For(8*time.Minute).To(0, time.Minute),
		Timeout: time.Second,
		Steps: []Step{
			{Name: "browse", Weight: 3, Do: func(ctx context.Context, u *User) error {
				return u.Sleep(ctx, latency.Sample(stream.At(uint64(u.Request()))))
			}},
			{Name: "checkout", Do: func(ctx context.Context, u *User) error {
				if down.Load() && u.Request()%3 == 0 {
					return errors.New("payments: 503 Service Unavailable")
				}
				if down.Load() {
					return u.Sleep(ctx, time.Hour)
				}
				return u.Sleep(ctx, 2*latency.Sample(stream.At(uint64(u.Request()))))
			}},
		},
		Events: []event.Event{event.New("payments: outage", func() {
			down.Store(true)
			q.EventLog().Add(q.Clock().Now().Add(2*time.Second), "breaker payments", "closed → open: 5 consecutive failures")
			q.EventLog().Add(q.Clock().Now().Add(32*time.Second), "breaker payments", "open → half-open: timeout")
			q.EventLog().Add(q.Clock().Now().Add(33*time.Second), "breaker payments", "half-open → open: probe failed")
			q.EventLog().Add(q.Clock().Now().Add(50*time.Second), "alert PaymentsDown", "inactive → pending")
			q.EventLog().Add(q.Clock().Now().Add(70*time.Second), "alert PaymentsDown", "pending → firing")
		}, func() {
			down.Store(false)
			q.EventLog().Add(q.Clock().Now().Add(3*time.Second), "breaker payments", "open → half-open: timeout")
			q.EventLog().Add(q.Clock().Now().Add(4*time.Second), "breaker payments", "half-open → closed: 1 success")
			q.EventLog().Add(q.Clock().Now().Add(20*time.Second), "alert PaymentsDown", "firing → resolved")
		}).At(4 * time.Minute).For(90 * time.Second)},
		Thresholds: []string{"p(99)<=1s", "step(browse).p(95)<50ms", "errors<50%", "dropped==0"},
	}
}

func TestReportIsOneFileAndTheSameEveryTime(t *testing.T) {
	var pages, texts, jsons [3]string
	for i := range pages {
		qtests.Run(t, func(q *qtests.T) {
			res := Run(q, outage(q))
			path := res.SaveHTML(q)
			html, err := os.ReadFile(path)
			require.NoError(t, err)
			j := jsonOf(t, res)
			pages[i], texts[i], jsons[i] = string(html), res.String(), string(j)
			if keep := os.Getenv("QTESTS_KEEP_REPORT"); keep != "" {
				require.NoError(t, os.WriteFile(keep, html, 0o644))
			}
			again, err := result.Read(strings.NewReader(jsons[i]))
			require.NoError(t, err)
			var fromJSON bytes.Buffer
			require.NoError(t, again.WriteHTML(&fromJSON))
			require.Equal(t, pages[i], fromJSON.String(), "the report needs nothing but the JSON")
		})
	}
	for i := range pages {
		require.Equal(t, pages[0], pages[i])
		require.Equal(t, texts[0], texts[i])
		require.Equal(t, jsons[0], jsons[i])
	}
	for _, outside := range []string{"http://", "https://", "src=", "@import", "url("} {
		require.NotContains(t, strings.ReplaceAll(pages[0], "http://www.w3.org/2000/svg", ""), outside)
	}
	require.Contains(t, pages[0], "payments: outage")
	page := parsed(t, pages[0])
	require.Equal(t, []report.Band{{From: 240, To: 330, Text: "payments: outage"}}, page.Bands)
	var titles, marks []string
	for _, c := range page.Charts {
		titles = append(titles, c.Title)
	}
	require.Equal(t, []string{"Rate", "Response time", "Response times, each", "Mean response time by step", "Errors", "Requests in flight and pools", "Breakers", "Alerts"}, titles)
	for _, m := range page.Marks[:6] {
		marks = append(marks, m.When+" "+m.Kind+" "+m.Who)
	}
	require.Equal(t, []string{"4m0s event event", "4m2s breaker breaker payments", "4m32s breaker breaker payments",
		"4m33s breaker breaker payments", "4m50s alert alert PaymentsDown", "5m10s alert alert PaymentsDown"}, marks)
	alerts := page.Charts[7].Lanes
	require.Equal(t, []report.Lane{{Name: "PaymentsDown", Spans: []report.Phase{
		{To: 290, State: "inactive", Tone: "quiet"}, {From: 290, To: 310, State: "pending", Tone: "warn"},
		{From: 310, To: 350, State: "firing", Tone: "bad"}, {From: 350, To: page.Span, State: "resolved", Tone: "quiet"},
	}}}, alerts)
}

// A report of a failure says why at the top, draws the thresholds, and shades the windows in which they were broken.
func TestReportOfAFailure(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := outage(q)
		s.Thresholds = []string{"p(99)<200ms every 30s", "errors<1%", "rate>10/s", "step(browse).p(95)<50ms"}
		res, err := Try(q, s)
		require.NoError(q, err)
		html := htmlOf(t, res)
		if keep := os.Getenv("QTESTS_KEEP_FAILURE"); keep != "" {
			require.NoError(q, os.WriteFile(keep, []byte(html), 0o644))
		}
		require.Equal(q, []string{
			"threshold p(99)<200ms every 30s broken: 3 of 20 windows, the first from 4m0s, the worst at 1s", "threshold errors<1% broken: 4.167%",
		}, res.Reasons())
		require.Contains(q, html, `<ul class="reasons bad" aria-label="Why">`+"\n<li>threshold p(99)&lt;200ms every 30s broken")
		page := parsed(t, html)
		require.Equal(q, []report.Band{{From: 240, To: 330, Text: "broken: p(99)<200ms every 30s"}}, page.Broken)
		require.Equal(q, []report.Limit{{Value: 0.2, Text: "p(99)<200ms every 30s", Tone: "bad"}}, page.Charts[1].Limits)
		require.Equal(q, []report.Limit{{Value: 0.01, Text: "errors<1%", Tone: "bad"}}, page.Charts[4].Limits)
		require.Equal(q, []report.Limit{{Value: 10, Text: "rate>10/s", Tone: "good"}}, page.Charts[0].Limits)
		require.Equal(q, []string{"browse", "checkout"}, []string{page.Charts[3].Series[0].Name, page.Charts[3].Series[1].Name})
		counted := int64(0)
		for _, column := range page.Charts[2].Heat.Counts {
			for _, n := range column {
				counted += n
			}
		}
		require.Equal(q, res.Finished, counted, "every request is in the map")
	})
}

// A replay has its own dates on the axis, and in the tables.
func TestReportOfAReplayHasItsDates(t *testing.T) {
	first := time.Date(2015, time.May, 17, 10, 5, 0, 0, time.UTC)
	entries := []accesslog.Entry{{At: first}, {At: first.Add(time.Hour)}}
	for _, speed := range []float64{1, 2} {
		qtests.Run(t, func(q *qtests.T) {
			res := Run(q, Scenario{Traffic: traffic.Replay(entries).Speed(speed), Do: serve(0), Events: []event.Event{event.New("outage", func() {}, nil).At(90 * time.Second)}})
			html := htmlOf(t, res)
			require.Equal(q, speed == 1, res.Origin.Equal(first))
			require.Equal(q, speed == 1, strings.Contains(html, `"origin":1431857100`))
			require.Equal(q, speed == 1, strings.Contains(html, "<td class=\"n\">2015-05-17 10:06:30 (1m30s)</td>"))
		})
	}
}

// parsed is the data that the script of a page draws.
func parsed(t *testing.T, page string) (p report.Page) {
	t.Helper()
	_, text, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	require.NoError(t, json.Unmarshal([]byte(text), &p))
	return p
}

func htmlOf(t *testing.T, r *result.Result) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteHTML(&b))
	return b.String()
}

func TestBandsOfEventsThatOverlapOrLast(t *testing.T) {
	happen := func(name string, at, d time.Duration) event.Event {
		return event.New(name, func() {}, func() {}).At(at * time.Second).For(d * time.Second)
	}
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{Traffic: traffic.Rate(1).For(100 * time.Second), Do: serve(0), Events: []event.Event{
			happen("for ever", 10, 0), happen("same", 20, 20), happen("same", 30, 20), happen("late", 90, 3600), happen("within", 60, 20), happen("within", 65, 5),
		}})
		require.Equal(q, []report.Band{
			{From: 10, To: 100, Text: "for ever"}, {From: 20, To: 40, Text: "same"}, {From: 30, To: 50, Text: "same"},
			{From: 60, To: 70, Text: "within"}, {From: 65, To: 80, Text: "within"}, {From: 90, To: 100, Text: "late"},
		}, parsed(t, htmlOf(t, res)).Bands)
	})
}

func TestReportSaysThatMarksAreMissing(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for range 10_005 {
			q.EventLog().Add(q.Clock().Now(), "pool api", "constructing fails")
		}
		s := Scenario{Name: "second", Traffic: traffic.Rate(1).For(10 * time.Second), Do: serve(0), Events: []event.Event{
			event.New("outage", func() { q.EventLog().Add(q.Clock().Now(), "breaker api", "closed → open: 5 errors") }, func() {}).At(time.Second).For(time.Second)}}
		res := Run(q, s)
		require.Equal(q, 1, res.MarksDropped, "those before the run are not its own")
		const missing = "1 further marks are missing: the event log was full"
		require.Contains(q, res.String(), missing)
		page := htmlOf(t, res)
		require.Equal(q, 2, strings.Count(page, missing), "in the table and at the foot")
		require.Equal(q, []report.Band{{From: 1, To: 2, Text: "outage"}}, parsed(t, page).Bands, "there is always room for an event")
		require.Contains(q, page, "9,502 more, which the charts show")
		res.Marks = nil
		require.Contains(q, res.String(), missing)

		s.Events = nil
		s.Name = "third"
		require.NotContains(q, Run(q, s).String(), "missing")
	})
}

func TestMarksOfTheGrace(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for _, s := range []time.Duration{-1, 0, 4, 6} {
			q.EventLog().Add(q.Clock().Now().Add(s*time.Second), "pool", s.String())
		}
		res := Run(q, Scenario{Traffic: traffic.Rate(1).For(3 * time.Second), Grace: 2 * time.Second, Do: serve(0)})
		require.Equal(q, []result.Mark{{Offset: 0, Source: "pool", Text: "0s"}, {Offset: 4 * time.Second, Source: "pool", Text: "4ns"}}, res.Marks)
	})
}

func TestVerdictHasABadge(t *testing.T) {
	kept, broken := result.Verdict{Pass: true}, result.Verdict{}
	for want, r := range map[string]result.Result{
		`quiet">DONE`:      {Errors: 1},
		`good">PASS`:       {Thresholds: []result.Verdict{kept}},
		`bad">FAIL`:        {Thresholds: []result.Verdict{kept, broken}},
		`bad">ENDED EARLY`: {Thresholds: []result.Verdict{kept}, Halted: "interrupt"},
	} {
		require.Contains(t, htmlOf(t, &r), `<span class="badge `+want+`</span>`)
	}
	for _, r := range []result.Result{{Panics: 1}, {Abandoned: 1}} {
		require.Contains(t, htmlOf(t, &r), `bad">FAIL</span>`)
	}
	require.Contains(t, htmlOf(t, &result.Result{Seed: 7, Scale: 0.1}), "seed 7, scale 0.1, start")
}

func TestReportsOverwriteNothing(t *testing.T) {
	var names []string
	for _, scenario := range []string{"日本", "中国", "日本", "a/b: c", "a-b--c", "\xff", strings.Repeat("é", 200), "shop"} {
		res := &result.Result{Scenario: scenario}
		path := res.SaveHTML(t)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, htmlOf(t, res), string(text))
		names = append(names, filepath.Base(path))
	}
	require.Equal(t, []string{"load-日本.html", "load-中国.html", "load-日本-2.html", "load-a-b--c.html", "load-a-b--c-2.html",
		"load--.html", "load-" + strings.Repeat("é", 50) + ".html", "load-shop.html"}, names)
}
