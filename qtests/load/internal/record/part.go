package record

import (
	"strings"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// Fill adds to a part what only merging needs. res is the result of r.
func (r *Recorder) Fill(p *result.Part, res *result.Result) {
	p.Intervals = make([]sketch.Sketch, len(r.timeline.points))
	for i := range p.Intervals {
		p.Intervals[i] = r.timeline.points[i].times
	}
	p.Steps = []result.PartCounts{}
	for _, s := range res.Steps {
		t := r.Steps[s.Name]
		c := result.PartCounts{Timeouts: t.Timeouts, Retries: t.Retries, Denied: t.Denied}
		p.Steps = append(p.Steps, c)
	}
	for i := range res.Tags {
		t := r.TagOrder[i]
		p.Tags = append(p.Tags, result.PartCounts{Timeouts: t.Timeouts, Retries: t.Retries, Denied: t.Denied})
	}
	for _, m := range res.Metrics {
		o := r.Own[m.Name]
		p.Metrics = append(p.Metrics, result.PartMetric{At: o.At, Trend: o.spread})
	}
}

// Restore returns a recorder that has counted what a merged result has, so that it can be judged.
// Only what thresholds ask for is there.
func Restore(res *result.Result) *Recorder {
	r := New(res.Duration)
	r.All = Tally{
		Name: res.Scenario, Started: res.Started, Finished: res.Finished, Errors: res.Errors, Response: res.Response, Service: res.Service,
		Interrupted: res.Interrupted, Timeouts: res.Timeouts, Retries: res.Retries, Denied: res.RetriesDenied,
	}
	r.Scheduled, r.Dropped, r.Interrupted, r.abandoned = res.Scheduled, res.Dropped, res.Interrupted, res.Abandoned
	r.MaxInFlight, r.attempts, r.Retries, r.Denied = res.MaxInFlight, res.Attempts, res.Retries, res.RetriesDenied
	r.Timeouts, r.Panics, r.goexits, r.Late = res.Timeouts, res.Panics, res.Goexits, res.Late
	for i, s := range res.Steps {
		t := tallyOf(s, counts(res.Part.Steps, i))
		r.Steps[t.Name] = t
		r.StepOrder = append(r.StepOrder, t)
	}
	for i, s := range res.Tags {
		key, value, _ := strings.Cut(s.Name, "=")
		t := tallyOf(s, counts(res.Part.Tags, i))
		r.tags[Tag{key, value}] = t
		r.TagOrder = append(r.TagOrder, t)
	}
	for _, c := range res.Checks {
		r.Checks[c.Name] = &checkTally{name: c.Name, Passed: c.Passed, Of: c.Total}
	}
	for i, m := range res.Metrics {
		o := &Own{Name: m.Name, Kind: m.Kind, Time: m.Time, Samples: m.Samples, Passed: m.Passed, Sum: m.Sum, Last: m.Last, Min: m.Min, Max: m.Max}
		if i < len(res.Part.Metrics) {
			o.spread = res.Part.Metrics[i].Trend
		}
		r.Own[m.Name] = o
	}
	return r
}

func counts(all []result.PartCounts, i int) result.PartCounts {
	if i < len(all) {
		return all[i]
	}
	return result.PartCounts{}
}

func tallyOf(s result.StepResult, c result.PartCounts) *Tally {
	return &Tally{
		Name: s.Name, Part: s.Part, Started: s.Started, Finished: s.Finished, Errors: s.Errors, Response: s.Response, Service: s.Service,
		lastEnd: s.LastEnd, Interrupted: s.Interrupted, Timeouts: c.Timeouts, Retries: c.Retries, Denied: c.Denied,
	}
}
