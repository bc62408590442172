package record

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// Result returns what was counted. end is the end of the run.
func (r *Recorder) Result(end time.Duration) *result.Result {
	res := &result.Result{
		Version: result.Version, Elapsed: end,
		Scheduled: r.Scheduled, Started: r.All.Started, Finished: r.All.Finished, Errors: r.All.Errors,
		Dropped: r.Dropped, Interrupted: r.Interrupted + r.abandoned, Abandoned: r.abandoned, MaxInFlight: r.MaxInFlight,
		Attempts: r.attempts, Retries: r.Retries, RetriesDenied: r.Denied,
		Timeouts: r.Timeouts, Panics: r.Panics, Goexits: r.goexits, FirstPanic: r.firstBug,
		Response: r.All.Response, Service: r.All.Service, Late: r.Late, Busy: r.busy.duration(),
		Steps: stepResults(r.StepOrder), Tags: stepResults(r.TagOrder), Checks: checkResults(r), Metrics: ownResults(r), ErrorKinds: errorCounts(r),
		Interval: r.timeline.width, Timeline: r.timeline.snapshot(), Buckets: r.timeline.buckets(),
	}
	res.Heat = result.HeatOf(res.Buckets, res.Interval)
	if end > 0 {
		res.MeanInFlight = r.busy.over(end)
	}
	return res
}

// Abandon counts a request that is still under way when the run gives it up, at end.
func (r *Recorder) Abandon(q *Request, end time.Duration) {
	r.abandoned++
	r.busy.add(max(end-q.Started, 0))
}

func stepResults(tallies []*Tally) []result.StepResult {
	var out []result.StepResult
	for _, t := range tallies {
		if t.Started == 0 && t.Finished == 0 && t.Part {
			continue
		}
		s := result.StepResult{
			Name: t.Name, Part: t.Part, Started: max(t.Started, t.Finished+t.Interrupted), Finished: t.Finished, Errors: t.Errors,
			Interrupted: t.Interrupted, LastEnd: t.lastEnd, Response: t.Response, Service: t.Service,
		}
		if t.curve != nil && len(t.curve.points) > 0 {
			s.Interval, s.Curve = t.curve.width, slices.Clone(t.curve.points)
		}
		out = append(out, s)
	}
	return out
}

func checkResults(r *Recorder) []result.CheckResult {
	var out []result.CheckResult
	for _, name := range text.SortedKeys(r.Checks) {
		out = append(out, result.CheckResult{Name: name, Passed: r.Checks[name].Passed, Total: r.Checks[name].Of})
	}
	return out
}

// errorCounts are sorted by count, the most frequent first.
func errorCounts(r *Recorder) []result.ErrorCount {
	out := []result.ErrorCount{}
	for _, kind := range text.SortedKeys(r.faults) {
		f := r.faults[kind]
		out = append(out, result.ErrorCount{Kind: f.kind, Count: f.count, First: f.first, Step: f.step, Text: f.text})
	}
	slices.SortStableFunc(out, func(a, b result.ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}
