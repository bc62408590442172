package compare

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// modelled is the result of so many requests per second for d, arriving as a Poisson process,
// as the engine would record it.
func modelled(seed uint64, rate float64, d time.Duration, response func(r *rand.Rand, at time.Duration) (time.Duration, bool)) *result.Result {
	r := rand.New(rand.NewPCG(seed, 5))
	rec := record.New(d)
	step := rec.Only("model")
	for at := time.Duration(0); ; {
		at += time.Duration(r.ExpFloat64() / rate * 1e9)
		if at >= d {
			break
		}
		x, failed := response(r, at)
		rec.Arrive(at)
		rec.Start(step, at)
		rec.End(&record.Request{Step: step, Intended: at, Started: at, Attempts: 1}, &record.Ending{At: at + x, Failed: failed})
	}
	res := rec.Result(max(d, rec.LastEnd))
	res.Profile, res.Scale, res.Duration = "model", 1, d
	return res
}

// logNormal has a median of 10 ms and a p99 of 100 ms.
func logNormal(factor float64) func(*rand.Rand, time.Duration) (time.Duration, bool) {
	return func(r *rand.Rand, _ time.Duration) (time.Duration, bool) {
		return time.Duration(factor * 1e7 * math.Exp(r.NormFloat64()*math.Log(10)/2.3263)), r.IntN(100) == 0
	}
}

// oneServer is a queue before one place with exponential service times of 10 ms on average.
func oneServer(factor float64) func(*rand.Rand, time.Duration) (time.Duration, bool) {
	free := time.Duration(0)
	return func(r *rand.Rand, at time.Duration) (time.Duration, bool) {
		free = max(free, at) + time.Duration(factor*1e7*r.ExpFloat64())
		return free - at, false
	}
}

// significantOf counts in how many pairs of results anything is significant, and
// each metric.
func significantOf(pairs int, of func(seed uint64, after bool) *result.Result) (any int, by map[string]int) {
	by = map[string]int{}
	for i := range uint64(pairs) {
		found := Results(of(2*i+1, false), of(2*i+2, true)).Significant()
		any += min(len(found), 1)
		for _, d := range found {
			by[d.Metric]++
		}
	}
	return any, by
}

// TestCompareKeepsItsConfidence compares a system with itself under pairs of
// seeds: one comparison in a hundred may report something. The bound is three
// standard errors higher.
func TestCompareKeepsItsConfidence(t *testing.T) {
	n := 100 * stress.Factor(t)
	for name, of := range map[string]func(seed uint64, _ bool) *result.Result{
		"5 requests":    func(seed uint64, _ bool) *result.Result { return modelled(seed, 5, time.Second, logNormal(1)) },
		"50 requests":   func(seed uint64, _ bool) *result.Result { return modelled(seed, 50, time.Second, logNormal(1)) },
		"100 requests":  func(seed uint64, _ bool) *result.Result { return modelled(seed, 100, time.Second, logNormal(1)) },
		"5000 requests": func(seed uint64, _ bool) *result.Result { return modelled(seed, 50, 100*time.Second, logNormal(1)) },
		"queue of 50 %": func(seed uint64, _ bool) *result.Result { return modelled(seed, 50, 60*time.Second, oneServer(1)) },
		"queue of 90 %": func(seed uint64, _ bool) *result.Result { return modelled(seed, 90, 60*time.Second, oneServer(1)) },
	} {
		any, by := significantOf(n, of)
		const stated = 0.01
		require.LessOrEqual(t, float64(any), stated*float64(n)+3*math.Sqrt(stated*float64(n)), "%s: %v", name, by)
	}
}

// TestCompareHasPower: what is 20 % slower is found, in some thousand requests.
func TestCompareHasPower(t *testing.T) {
	n := 20 * stress.Factor(t)
	slower := func(after bool) float64 { return map[bool]float64{false: 1, true: 1.2}[after] }
	any, by := significantOf(n, func(seed uint64, after bool) *result.Result {
		return modelled(seed, 40, 100*time.Second, logNormal(slower(after)))
	})
	require.GreaterOrEqual(t, any, n*9/10, "%v", by)
	require.GreaterOrEqual(t, by["p(50)"], n*9/10)
	require.GreaterOrEqual(t, by["avg"], n*6/10)
	any, by = significantOf(n, func(seed uint64, after bool) *result.Result {
		return modelled(seed, 50, 100*time.Second, oneServer(slower(after)))
	})
	require.GreaterOrEqual(t, any, n*9/10, "%v", by)
	require.GreaterOrEqual(t, by["p(95)"], n*6/10)
	// Now the server is overloaded, and its latency never settles.
	any, by = significantOf(n, func(seed uint64, after bool) *result.Result {
		return modelled(seed, 50, 60*time.Second, oneServer(map[bool]float64{false: 1, true: 2.4}[after]))
	})
	require.GreaterOrEqual(t, any, n*9/10, "%v", by)
	require.GreaterOrEqual(t, by["avg"], n*8/10)
}

// TestCompareTakesNoOutageForNoise: an outage in both runs is not what makes
// them differ, nor is it noise in which a difference could hide.
func TestCompareTakesNoOutageForNoise(t *testing.T) {
	outage := func(factor float64) func(*rand.Rand, time.Duration) (time.Duration, bool) {
		calm := logNormal(factor)
		return func(r *rand.Rand, at time.Duration) (time.Duration, bool) {
			x, failed := calm(r, at)
			if at > 40*time.Second && at < 60*time.Second {
				return 10 * x, true
			}
			return x, failed
		}
	}
	c := Results(modelled(1, 50, 100*time.Second, outage(1)), modelled(2, 50, 100*time.Second, outage(1)))
	require.Empty(t, c.Significant())
	require.Empty(t, c.Notes)
	c = Results(modelled(1, 50, 100*time.Second, outage(1)), modelled(2, 50, 100*time.Second, outage(1.3)))
	require.NotEmpty(t, c.Regressions(), "%s", c)
	require.Equal(t, "p(50)", c.Regressions()[0].Metric)
}

// TestCompareNamesEveryFigure changes one thing at a time.
func TestCompareNamesEveryFigure(t *testing.T) {
	worse := func(change func(r *result.Result)) []string {
		before, after := modelled(1, 50, 100*time.Second, logNormal(1)), modelled(1, 50, 100*time.Second, logNormal(1))
		for _, r := range []*result.Result{before, after} {
			part := result.StepResult{Name: "a", Started: 2000, Finished: 2000, Response: r.Response}
			r.Steps = []result.StepResult{part, {Name: "b", Started: 2000, Finished: 2000, Response: r.Response}}
			r.Tags = []result.StepResult{{Name: "region=eu", Finished: 2000, Response: r.Response}}
			r.Checks = []result.CheckResult{{Name: "ok", Passed: 2000, Total: 2000}}
			r.MaxInFlight = 100
		}
		require.Empty(t, Results(before, after).Significant())
		change(after)
		require.Len(t, Results(after, before).Significant(), len(Results(before, after).Significant()))
		var names []string
		for _, d := range Results(before, after).Regressions() {
			names = append(names, d.Metric)
		}
		return names
	}
	for want, change := range map[string]func(r *result.Result){
		"errors":                func(r *result.Result) { r.Errors += 300 },
		"dropped":               func(r *result.Result) { r.Dropped += 100 },
		"retries":               func(r *result.Result) { r.Retries += 100 },
		"timeouts":              func(r *result.Result) { r.Timeouts += 100 },
		"interrupted":           func(r *result.Result) { r.Interrupted += 400 },
		"rate":                  func(r *result.Result) { r.Finished -= 1000 },
		"goodput":               func(r *result.Result) { r.Errors += 1000 },
		"check(ok)":             func(r *result.Result) { r.Checks[0].Passed -= 100 },
		"step(b).errors":        func(r *result.Result) { r.Steps[1].Errors += 100 },
		"step(b).rate":          func(r *result.Result) { r.Steps[1].Finished -= 800 },
		"step(b).p(99)":         func(r *result.Result) { r.Steps[1] = result.StepResult{Name: "b", Started: 10} },
		"tag(region=eu).errors": func(r *result.Result) { r.Tags[0].Errors += 100 },
		"tag(region=eu).rate":   func(r *result.Result) { r.Tags = nil },
	} {
		require.Contains(t, worse(change), want)
	}
	for _, want := range []string{"step(a).p(50)", "step(a).p(95)", "step(a).avg"} {
		require.Contains(t, worse(func(r *result.Result) { r.Steps[0].Response = modelled(3, 50, 100*time.Second, logNormal(2)).Response }), want)
	}
	require.NotContains(t, worse(func(r *result.Result) { r.Interrupted += 2 * r.MaxInFlight }), "interrupted", "that many may just have been under way")
	require.Empty(t, worse(func(r *result.Result) {
		r.Steps = append(r.Steps, result.StepResult{Name: "new", Started: 2000, Finished: 2000, Response: r.Response})
	}), "a step that is new is nothing worse")
}

func runOf(t *testing.T, s load.Scenario) (res *result.Result) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) {
		s.Clock = q.Clock()
		var err error
		res, err = load.Do(context.Background(), s)
		require.NoError(q, err)
	})
	return res
}

func TestCompareSeesASystemThatHangs(t *testing.T) {
	before := runOf(t, load.Scenario{Traffic: traffic.Rate(100).For(10 * time.Second), Do: serve(time.Millisecond)})
	after := runOf(t, load.Scenario{Traffic: traffic.Rate(100).For(10 * time.Second), NoGrace: true, Do: serve(time.Hour)})
	c := Results(before, after)
	var names []string
	for _, d := range c.Regressions() {
		names = append(names, d.Metric)
		require.False(t, math.IsNaN(d.Change), d.Metric)
	}
	require.Equal(t, []string{"p(50)", "p(95)", "p(99)", "avg", "rate", "goodput", "interrupted"}, names)
	require.Regexp(t, `✗  p\(50\) +1ms +none +- +worse\n`, c.String())
	for _, d := range Results(after, before).Significant() {
		require.False(t, d.Worse, d.Metric)
	}
}

// Nothing hangs in a run in which nothing was due.
func TestCompareTakesAnEmptyRunForChance(t *testing.T) {
	empty, few := modelled(1, 1e-3, time.Second, logNormal(1)), modelled(1, 5, time.Second, logNormal(1))
	require.Zero(t, empty.Scheduled)
	require.NotZero(t, few.Scheduled)
	require.Empty(t, Results(empty, few).Significant())
	require.Empty(t, Results(few, empty).Significant())
	empty.Scheduled, empty.Started = 1, 1 // it has not ended
	require.Len(t, Results(few, empty).Regressions(), 4)
	require.Len(t, Results(empty, few).Significant(), 4)
}

func TestCompareSeesThroughput(t *testing.T) {
	users := func(pacing time.Duration) *result.Result {
		return runOf(t, load.Scenario{Traffic: traffic.Users(10).For(time.Minute), Pacing: pacing, Do: serve(time.Millisecond)})
	}
	before, after := users(time.Second), users(4*time.Second)
	require.EqualValues(t, 600, before.Finished)
	require.EqualValues(t, 150, after.Finished)
	found := Results(before, after).Regressions()
	require.Len(t, found, 2)
	require.Equal(t, Difference{Metric: "rate", Before: "10/s", After: "2.5/s", Change: -0.75, Significant: true, Worse: true}, found[0])
	require.Equal(t, "goodput", found[1].Metric)
}

func TestCompareSaysWhatIsNotAlike(t *testing.T) {
	before := modelled(1, 50, 10*time.Second, logNormal(1))
	after := modelled(2, 50, 10*time.Second, logNormal(1))
	after.Profile, after.Scale, after.Version, after.Halted = "other", 0.1, 7, "load: interrupt"
	c := Results(before, after)
	require.Equal(t, []string{
		"not alike: version 1 before, 7 after", `not alike: profile "model" before, "other" after`, "not alike: scale 1 before, 0.1 after",
		"after ended early, at " + text.Short(after.Elapsed) + ": load: interrupt",
	}, c.Notes)
	require.Contains(t, c.String(), "not alike: scale 1 before, 0.1 after\n")
	after.Timeline = after.Timeline[:3]
	require.Contains(t, Results(before, after).Notes, "fewer than 12 intervals: requests count as independent")
	queue := func(seed uint64) *result.Result { return modelled(seed, 99, 5*time.Second, oneServer(1)) }
	c = Results(queue(1), queue(2))
	require.Contains(t, c.Notes[0], "too short for how long its requests depend on each other")
	require.Regexp(t, `\?  p\(99\) .* cannot be told\n`, c.String())
	require.Contains(t, c.String(), "\n  ?  there are too few requests, or they depend on each other for too long,")
}

func TestComparisonBeginsWithWhatItFound(t *testing.T) {
	worse, better := Difference{Significant: true, Worse: true, Before: "1", After: "2"}, Difference{Significant: true, Before: "2", After: "1"}
	same, noise, unknown := Difference{Before: "1", After: "1"}, Difference{Before: "1", After: "2", Change: 1}, Difference{Undecided: true}
	for want, ds := range map[string][]Difference{
		"there is nothing to compare, no request ended":                                      {},
		"no difference could be told from noise":                                             {unknown, unknown},
		"nothing differs by more than the noise":                                             {same, noise},
		"nothing differs by more than the noise; of 1 figure, marked ?, nothing can be told": {same, unknown},
		"1 figure is worse":                {worse, noise},
		"2 figures are better":             {better, better},
		"2 figures are worse, 1 is better": {worse, better, worse},
		"1 figure is worse, 2 are better; of 2 figures, marked ?, nothing can be told": {worse, better, better, unknown, unknown},
	} {
		text := Comparison{Differences: ds}.String()
		require.True(t, strings.HasPrefix(text, "comparison: "+want+"\n"), "want %s\n%s", want, text)
	}
	require.Regexp(t, `\+100\.0%  within the noise\n`, Comparison{Differences: []Difference{noise}}.String())
	require.Regexp(t, ` 1 +1  same\n`, Comparison{Differences: []Difference{same}}.String(), "what is the same needs no words")
}

func TestCompareWantsTwoResults(t *testing.T) {
	require.PanicsWithValue(t, "load: compare.Results: after is nil: there is no result to compare", func() { Results(&result.Result{}, nil) })
	require.PanicsWithValue(t, "load: compare.Results: before is nil: there is no result to compare with", func() { Results(nil, &result.Result{}) })
}

func TestChangeIsANumber(t *testing.T) {
	zero, some := &result.Result{Finished: 100, Scheduled: 100}, &result.Result{Finished: 100, Scheduled: 100, Errors: 10}
	for _, tt := range []struct {
		before, after *result.Result
		change        float64
		text          string
	}{{zero, zero, 0, "same"}, {zero, some, math.Inf(1), "from zero"}, {some, zero, -1, "-100.0%"}, {some, some, 0, "same"}} {
		c := Results(tt.before, tt.after)
		require.Equal(t, "errors", c.Differences[0].Metric)
		require.Equal(t, tt.change, c.Differences[0].Change)
		require.Equal(t, tt.text, c.Differences[0].change())
	}
	require.Empty(t, Results(&result.Result{}, &result.Result{}).Differences)
}

// TestTimelineTellsDependence: the points of a run of the engine hold what
// Compare needs.
func TestTimelineTellsDependence(t *testing.T) {
	res := runOf(t, load.Scenario{Traffic: traffic.Rate(90).For(20 * time.Second).Poisson(), MaxInFlight: 1, Overflow: load.Queue, Do: exponential(10 * time.Millisecond)})
	var sum time.Duration
	var within [3]int64
	for _, p := range res.Timeline {
		sum += p.Sum
		for i, n := range p.Within {
			within[i] += n
		}
	}
	require.InDelta(t, res.Response.Sum(), sum.Seconds(), 1e-9)
	for i, p := range result.Percentiles {
		require.InDelta(t, p/100*float64(res.Finished), within[i], 0.02*float64(res.Finished))
		require.GreaterOrEqual(t, float64(within[i]), p/100*float64(res.Finished))
	}
}

func TestCompareSeesDifferencesBeyondTheNoise(t *testing.T) {
	run := func(seed uint64, factor float64, failing int64) (res *result.Result) {
		qtests.Run(t, func(q *qtests.T) {
			latency := latency.LogNormal(10*time.Millisecond, 100*time.Millisecond)
			var err error
			res, err = load.Do(context.Background(), load.Scenario{
				Clock: q.Clock(), Seed: seed, Traffic: traffic.Rate(100).For(100 * time.Second),
				Do: func(ctx context.Context, u *load.User) error {
					_ = u.Sleep(ctx, time.Duration(factor*float64(latency.Sample(u.Rand()))))
					if u.ID()%100 < failing {
						return errors.New("no")
					}
					return nil
				},
			})
			require.NoError(q, err)
		})
		return res
	}
	base := run(1, 1, 1)
	require.Empty(t, Results(base, run(2, 1, 1)).Significant(), "another seed is noise")
	worse := Results(base, run(3, 1.2, 5))
	var names []string
	for _, d := range worse.Regressions() {
		names = append(names, d.Metric)
	}
	require.Subset(t, names, []string{"p(50)", "avg", "errors"})
	require.Empty(t, Results(run(3, 1.2, 5), base).Regressions())
	require.Contains(t, worse.String(), "✗  errors")
}
