package load

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/job"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Do runs a scenario without a test and returns its result. The error says what is wrong with
// the Scenario. What happens during the run, also to thresholds, is in the Result.
//
// Do leaves the process alone: it does not catch Ctrl-C, prints no progress, and does not scale.
// The end of ctx has the effect of Ctrl-C in Run: nothing starts any more, and what is under way
// gets its grace. In a program:
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
//	defer stop()
//	res, err := load.Do(ctx, scenario)
func Do(ctx context.Context, s Scenario) (*result.Result, error) {
	r, err := newRun(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := r.meet(); err != nil {
		return nil, err
	}
	return r.execute()
}

// Run runs a scenario in a test: on the clock, the seed and the event log of t, unless the
// scenario sets its own. It writes the summary to the log of t.
//
// If t fails, for this or another reason, it leaves the report, the JSON form and the last 500 marks behind, without being asked: in
// the directory for artifacts with go test -artifacts, and otherwise in one of the user's cache that has what this test left when it failed last. The
// log of t says where. That is done for the last eight runs of a test.
//
// A person who watches sees a line every second: in real time and, on the terminal from which go test was started, in fake time, too. Ctrl-C
// ends the arrivals, and the result has what there is; in fake time it then ends the body of the test. A third Ctrl-C ends the process.
//
// Run fails t with FailNow if something is wrong with the scenario. It fails t, and still returns
// the result, if a threshold is not kept or cannot be evaluated, if a step panicked, if a request
// ignored its cancelled context, or if no request came.
//
// Run may be called from any goroutine of the test, and from within a step, which then takes as
// long as the run.
func Run(t tb.TB, s Scenario) *result.Result {
	t.Helper()
	r, err := prepare(t, s)
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	r.keepFor(t)
	if err := r.meet(); err != nil {
		tb.Fatalf(t, "%v", err)
	}
	res, err := r.execute()
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	reportTo(t, res)
	return res
}

// Try runs a scenario in a test at scale 1, whatever -qtests.scale and -short say, and
// leaves it to the caller to judge the result: unlike [Run] it tells t nothing. The error says
// what is wrong with the Scenario, or that this process runs only a part of it.
func Try(t tb.TB, s Scenario) (*result.Result, error) {
	t.Helper()
	r, err := prepareAt(t, s, 1)
	if err != nil {
		return nil, err
	}
	if !r.share.takesAll() {
		return nil, fmt.Errorf("load: scenario %q: this process is part %s of a load in real time, and no part can judge the whole: without %s the whole load runs here", r.Name, r.share.Share, share.Var)
	}
	return r.execute()
}

// prepare makes a run of a scenario with the clock, seed and event log of the test, at the scale
// of the process.
func prepare(t tb.TB, s Scenario) (*run, error) {
	t.Helper()
	return prepareAt(t, s, s.scaleOf())
}

// prepareAt is prepare at a given scale.
func prepareAt(t tb.TB, s Scenario, scale float64) (*run, error) {
	t.Helper()
	if s.Clock == nil {
		s.Clock = tb.ClockOf(t)
	}
	if s.Seed == 0 {
		s.Seed = tb.SeedOf(t)
	}
	if s.EventLog == nil {
		s.EventLog = tb.EventLogOf(t)
	}
	s, made := s.scaledBy(scale).cut()
	r, err := newRun(tb.ContextOf(t), s)
	if err != nil {
		return nil, err
	}
	r.made = made
	r.scale, r.test, r.repeat = scale, t.Name(), repeatCommand(t, scale)
	if r.real {
		r.watch = watch.New(r, r.clk)
	} else if r.fake && tenancy.Here() != nil {
		r.mu.live = watch.Follow(r.Name, r.Traffic.Duration())
	}
	return r, nil
}

// repeatCommand is the command that repeats the test. It has the seed of the test: a seed that
// the scenario sets is in its source.
func repeatCommand(t tb.TB, scale float64) string {
	if scale == 1 {
		return qtests.RepeatCommand(t)
	}
	return qtests.RepeatCommand(t, "-"+scaleFlag+"="+text.Number(scale))
}

// reportTo tells the test how the run came out.
func reportTo(t tb.TB, r *result.Result) {
	t.Helper()
	t.Logf("%s", r)
	attribute := "load." + attributeKey(r.Scenario)
	tb.AttrOf(t, attribute+".requests", fmt.Sprint(r.Finished))
	tb.AttrOf(t, attribute+".p99", r.Response.Percentile(99).String())
	tb.AttrOf(t, attribute+".errors", fmt.Sprintf("%.4g%%", 100*r.ErrorRate()))
	job.TellFailure(t, r)
	suffix := fmt.Sprintf("\n    scenario %s, seed %d, scale %s; repeat with: %s", r.Scenario, r.Seed, text.Number(r.Scale), r.Repeat)
	fails := func(what string) {
		if here := tenancy.Here(); here != nil {
			here.Fails("load", r.Scenario+": "+what)
		}
	}
	for _, v := range r.Failed() {
		fails(strings.TrimSuffix(v.Threshold+": "+v.Error, ": "))
		t.Errorf("load: threshold %s%s", v, suffix)
	}
	if r.Panics > 0 {
		fails("panic")
		t.Errorf("load: code of the scenario panicked %s, the first time:\n%s%s", text.Times(r.Panics), r.FirstPanic, suffix)
	}
	if r.Abandoned > 0 {
		fails("abandoned requests")
		t.Errorf("load: %d requests ignored that their context was cancelled %v ago%s", r.Abandoned, abandonAfter, suffix)
	}
	if r.LogLost != "" {
		t.Errorf("load: the request log was not written to its end: %s%s", r.LogLost, suffix)
	}
	if r.Slow {
		t.Errorf("load: %s%s", r.Warning, suffix)
	}
	parted := r.Part != nil && !r.Part.Whole
	if parted {
		t.Logf("load: this is part %d of %d: thresholds are judged when the parts are put together, by: go tool qtests merge %s",
			r.Part.Index, r.Part.Of, share.Results())
	}
	if r.Scheduled == 0 && r.Halted == "" && !parted {
		fails("no request")
		t.Errorf("load: no request came in %v, and so nothing was tested%s", text.Short(r.Elapsed), suffix)
	}
	if r.Halted != "" && len(r.Failed()) == 0 {
		fails(r.Halted)
		t.Errorf("load: the run ended early, at %v: %s%s", text.Short(r.EndedAt()), r.Halted, suffix)
	}
	if r.Halted == watch.ErrInterrupted.Error() && stacks.InBubble() {
		tb.Fatalf(t, "load: the body of %s ends here, as the user wants", t.Name())
	}
}

// attributeKey replaces white space in the name of a scenario: testing.T.Attr fails the test for
// a key that has some.
func attributeKey(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || unicode.IsControl(c) {
			return '-'
		}
		return c
	}, name)
}
