package load

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/load/internal/picker"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/internal/scrape"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// Of an error of a URL, what it wraps is the kind; of one that wraps nothing, and of a panic with one, all of it.
func TestKindOfAnErrorOfAURL(t *testing.T) {
	reason := errors.New("no route")
	require.Equal(t, "no route", KindOf(&url.Error{Op: "Get", URL: "http://x/7", Err: reason}))
	require.Equal(t, "no route", KindOf(fmt.Errorf("shop: %w", &url.Error{Op: "Get", URL: "http://x/7", Err: reason})))
	require.Equal(t, "canceled", KindOf(&url.Error{Op: "Get", URL: "http://x/7", Err: context.Canceled}))
}

// The bounds of a scenario belong to it.
func TestBoundsOfAScenario(t *testing.T) {
	do := func(context.Context, *User) error { return nil }
	with := func(n int, weight int) Scenario {
		s := Scenario{Traffic: traffic.Rate(1).For(time.Second)}
		for i := range n {
			s.Steps = append(s.Steps, Step{Name: fmt.Sprint(i), Weight: weight, Do: do})
		}
		return s
	}
	for _, c := range []struct {
		s    Scenario
		want string
	}{
		{with(1, 0), ""}, {with(1, picker.MaxWeight), ""}, {with(1, picker.MaxWeight+1), "Steps[0].Weight"}, {with(1, -1), "Steps[0].Weight"},
		{with(record.MaxSteps, 1), ""}, {with(record.MaxSteps+1, 1), "are more than 1000"},
	} {
		_, err := c.s.withDefaults()
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
}

// A machine that is late by the limit is not yet the bottleneck, and in fake time none is.
func TestLatenessUpToTheLimit(t *testing.T) {
	for _, c := range []struct {
		late time.Duration
		real bool
		told bool
	}{{maxLateness, true, false}, {maxLateness + time.Millisecond, true, true}, {maxLateness + time.Millisecond, false, false}} {
		r := &result.Result{Scheduled: 100}
		for range 100 {
			r.Late.Record(c.late)
		}
		limit := (&run{real: c.real})
		limit.tellLateness(r)
		require.Equal(t, c.told, r.Warning != "", c)
	}
}

// Windows and delays of a threshold move with the scale, each of them.
func TestWindowsAndDelaysAreScaled(t *testing.T) {
	s := Scenario{Scalable: true, Thresholds: []string{"errors<1% every 20s", "errors<1% abort after 20s", "errors<1%", "errors<1% every 20s abort after 20s", "nonsense"}}
	s.scaleThresholds(0.1)
	require.Equal(t, []string{"errors<1% every 2s", "errors<1% abort after 2s", "errors<1%", "errors<1% every 2s abort after 2s", "nonsense"}, s.Thresholds)
}

// Where users are fewer than parts, the first parts share the requests.
func TestBudgetOfFewUsers(t *testing.T) {
	for _, c := range []struct {
		users int
		want  []int64
	}{{1, []int64{10, 0, 0, 0}}, {2, []int64{5, 5, 0, 0}}, {3, []int64{4, 3, 3, 0}}, {4, []int64{3, 3, 2, 2}}, {9, []int64{3, 3, 2, 2}}} {
		var got []int64
		for i := 1; i <= 4; i++ {
			p := part{Share: share.Share{Index: i, Of: 4}}
			got = append(got, p.ofBudget(10, traffic.Users(c.users).For(time.Minute)))
		}
		require.Equal(t, c.want, got, c.users)
	}
	require.Equal(t, int64(10), (&part{}).ofBudget(10, traffic.Users(1).For(time.Minute)))
}

// A part that has no place for its result says so before it begins.
func TestAPartWithoutAPlace(t *testing.T) {
	t.Setenv(share.ResultsVar, "")
	mine := share.Share{Index: 1, Of: 2}
	p := part{process: mine}
	require.NoError(t, p.meet(context.Background(), "TestX", "shop", time.Now), "it leaves nothing")
	p.leave()
	require.False(t, p.leaves, "each part runs all of it, and nobody puts them together")
	p = part{Share: mine, process: mine}
	p.leave()
	require.True(t, p.leaves)
	require.ErrorContains(t, p.meet(context.Background(), "TestX", "shop", time.Now), `load: part 1/2 of "shop": `+share.ResultsVar+" names no directory")
	t.Setenv(share.ResultsVar, t.TempDir())
	p = part{process: mine}
	p.leave()
	require.True(t, p.leaves)
	require.NoError(t, p.meet(context.Background(), "TestX", "shop", time.Now), "under a fake clock nobody waits")
	require.True(t, p.begin.IsZero())
	t.Setenv(share.StartVar, "soon")
	p = part{Share: mine, process: mine, leaves: true}
	require.ErrorContains(t, p.meet(context.Background(), "TestX", "shop", time.Now), share.StartVar)
}

// What parts must have in common makes their plan.
func TestPlanOfAScenario(t *testing.T) {
	s := Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: serve(0)}
	plan := planOf(&s)
	require.Len(t, plan, 16)
	seen := map[string]string{plan: "nothing"}
	for name, change := range map[string]func(s *Scenario){
		"MaxInFlight": func(s *Scenario) { s.MaxInFlight = 1 }, "Timeout": func(s *Scenario) { s.Timeout = 1 }, "Retry": func(s *Scenario) { s.Retry.Max = 1 },
		"Steps": func(s *Scenario) { s.Steps = []Step{{Name: "a"}} }, "Thresholds": func(s *Scenario) { s.Thresholds = []string{"errors<1%"} },
	} {
		other := s
		change(&other)
		require.Empty(t, seen[planOf(&other)], name)
		seen[planOf(&other)] = name
	}
	one, two := s, s
	one.MaxInFlight, two.MaxInFlight = 1, 2
	require.Equal(t, planOf(&one), planOf(&two), "each part has its own limit")
}

// A run takes the place of the one of its name, and of no other.
func TestMetricsOfRunsWithOneName(t *testing.T) {
	var none *Metrics
	none.attach("a", nil)
	m := NewMetrics()
	var read []string
	attach := func(name, as string) {
		m.attach(name, func(family) []prometheus.Metric { read = append(read, as); return nil })
	}
	out := make(chan prometheus.Metric)
	m.Collect(out)
	attach("a", "a1")
	attach("b", "b1")
	attach("a", "a2")
	m.Collect(out)
	require.Equal(t, []string{"b1", "a2"}, read)
}

func TestMetricsAreExposedWhereAsked(t *testing.T) {
	t.Setenv(scrape.Var, "")
	m, done, err := expose()
	require.NoError(t, err)
	require.Nil(t, m)
	done()
	t.Setenv(scrape.Var, "127.0.0.1:0")
	m, done, err = expose()
	require.NoError(t, err)
	require.NotNil(t, m)
	done()
	t.Setenv(scrape.Var, "nowhere")
	_, _, err = expose()
	require.ErrorContains(t, err, scrape.Var)
}

// A baseline tells of what is worse and of what is better, and lists few figures, or those that changed.
func TestWhatABaselineTells(t *testing.T) {
	same := result.Change{Name: "same", Before: 1, After: 1}
	worse, better := result.Change{Name: "is worse", Before: 1, After: 2, Worse: true}, result.Change{Name: "is better", Before: 2, After: 1, Better: true}
	many := make([]result.Change, 21)
	for i := range many {
		many[i] = same
	}
	for _, c := range []struct {
		all        []result.Change
		fails      bool
		names      string
		jobSummary bool
	}{
		{nil, false, "", false},
		{[]result.Change{same}, false, "same", false},
		{many[:20], false, "same", false},
		{many, false, "", false},
		{append([]result.Change{better}, many...), false, "is better", true},
		{[]result.Change{worse, better}, true, "is worse", true},
	} {
		summary := t.TempDir() + "/summary.md"
		t.Setenv("GITHUB_STEP_SUMMARY", summary)
		rec := tbtest.Run("TestX", func(r *tbtest.TB) { judgeBaseline(r, &result.Result{Scenario: "shop"}, "b.json", c.all) })
		require.Equal(t, c.fails, rec.Failed())
		text := rec.Errors() + strings.Join(rec.Logs(), "\n")
		require.Equal(t, c.names != "", strings.Contains(text, "before"), text)
		if c.names != "" {
			require.Contains(t, text, c.names)
		}
		require.NotContains(t, strings.TrimSuffix(text, "\n"), "b.json\n\n")
		if c.jobSummary {
			require.FileExists(t, summary)
		} else {
			require.NoFileExists(t, summary)
		}
	}
}
