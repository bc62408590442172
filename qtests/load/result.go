package load

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// ResultVersion is the version of the JSON form of a Result. ReadResult reads
// this one and says so when it meets another.
const ResultVersion = 1

var errNoSamples = errors.New("there are no samples")

// A Result is what a run was. It is a value without reference to the run, of a
// size that does not depend on the number of requests. Under a fake clock it is
// the same, byte for byte, for the same seed.
//
// Counts add up: Scheduled = Started + Dropped, Started = Finished + Interrupted.
type Result struct {
	Version  int     `json:"version"`
	Scenario string  `json:"scenario"`
	Test     string  `json:"test,omitempty"`
	Profile  string  `json:"profile"` // in words, as it ran: scaled
	Seed     uint64  `json:"seed"`    // from which the run's streams were derived
	Scale    float64 `json:"scale"`   // of -qtests.scale, 1 where nothing was scaled

	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration_ns"` // of the profile
	// Elapsed runs to the end of the last request. It is at least Duration, unless
	// the run was halted or its budget was used up.
	Elapsed time.Duration `json:"elapsed_ns"`
	Halted  string        `json:"halted,omitempty"`
	// HaltedAt is when the arrivals were ended before their time; what was under way then had its grace.
	HaltedAt time.Duration `json:"halted_at_ns,omitempty"`
	// Warning says, in real time, how the machine that generated the load fell
	// short, and Slow that this fails the run, as Scenario.FailWhenSlow wants.
	Warning string `json:"warning,omitempty"`
	Slow    bool   `json:"slow,omitempty"`

	Scheduled   int64 `json:"scheduled"`
	Started     int64 `json:"started"`
	Finished    int64 `json:"finished"`
	Errors      int64 `json:"errors"`
	Dropped     int64 `json:"dropped"`
	Interrupted int64 `json:"interrupted"`   // cancelled after the grace
	Abandoned   int64 `json:"abandoned"`     // of those, the ones that ignored it
	MaxInFlight int64 `json:"max_in_flight"` // the most at any instant

	Attempts      int64 `json:"attempts"`       // of requests that have ended; 1 each without Retry
	Retries       int64 `json:"retries"`        // attempts after the first, begun
	RetriesDenied int64 `json:"retries_denied"` // refused by Retry.Budget
	Timeouts      int64 `json:"timeouts"`       // failed requests whose last error is a passed deadline
	Panics        int64 `json:"panics"`         // of steps, interrupted ones too, and of the scenario's other functions
	Goexits       int64 `json:"goexits"`        // of steps, NewUser and ThinkTime

	// Response is measured from the instant at which a request was due, Service
	// from its start; Late is from the one to the other, of the requests that did not
	// queue: what it shows is the generator, and waiting for a place is the system's.
	Response Histogram `json:"response"`
	Service  Histogram `json:"service"`
	Late     Histogram `json:"late"`
	// MeanInFlight is the average number of requests under way over Elapsed, and
	// Busy the time that they were under way, to the nanosecond: by Little's law
	// MeanInFlight is Busy/Elapsed. (The histograms round each to the microsecond.)
	MeanInFlight float64       `json:"mean_in_flight"`
	Busy         time.Duration `json:"busy_ns"`

	Steps      []StepResult  `json:"steps"`
	Tags       []StepResult  `json:"tags,omitempty"`
	Checks     []CheckResult `json:"checks,omitempty"`
	ErrorKinds []ErrorCount  `json:"error_kinds"`
	Thresholds []Verdict     `json:"thresholds"`

	Interval time.Duration `json:"interval_ns"` // the width of the timeline's points
	Timeline []Point       `json:"timeline"`
	Marks    []Mark        `json:"marks"`
	// MarksDropped is how many marks the event log had no room for during the run.
	MarksDropped int `json:"marks_dropped,omitempty"`
	// Series are those of Scenario.Monitor.
	Series []Series `json:"series,omitempty"`

	// SamplesLost says why Scenario.Samples could not write them all, which fails the run.
	SamplesLost string `json:"samples_lost,omitempty"`

	// Repeat is the command that repeats the run, when it ran in a test.
	Repeat string `json:"repeat,omitempty"`

	bug string // the first panic with its stack, for the test log
	// coarse are the response times of every interval of the timeline, for WriteHLog.
	coarse [][]coarseTime
}

// A StepResult is what was counted of one step, part, route or tag.
type StepResult struct {
	Name        string        `json:"name"`
	Part        bool          `json:"part,omitempty"` // within a request, by User.Part
	Started     int64         `json:"started"`
	Finished    int64         `json:"finished"`
	Errors      int64         `json:"errors"`
	Interrupted int64         `json:"interrupted"`
	LastEnd     time.Duration `json:"last_end_ns"`
	Response    Histogram     `json:"response"`
	Service     Histogram     `json:"service"`
}

// A CheckResult is how often User.Check was called, and how often with true.
type CheckResult struct {
	Name   string `json:"name"`
	Passed int64  `json:"passed"`
	Total  int64  `json:"total"`
}

// An ErrorCount is the errors of one kind.
type ErrorCount struct {
	Kind  string        `json:"kind"`
	Count int64         `json:"count"`
	First time.Duration `json:"first_ns"` // when the first of them ended
	Step  string        `json:"step"`     // of the first
	Text  string        `json:"text"`     // of the first, at most 200 bytes
}

// A Verdict is how a threshold came out.
type Verdict struct {
	Threshold string `json:"threshold"`
	Pass      bool   `json:"pass"`
	// Actual is the value found, or the worst of all windows, or the value that
	// aborted the run.
	Actual string `json:"actual,omitempty"`
	// Windows, Broken and First are those of a threshold over windows.
	Windows int           `json:"windows,omitempty"`
	Broken  int           `json:"broken,omitempty"`
	First   time.Duration `json:"first_ns,omitempty"` // the start of the first broken window
	// Note says what to know of a broken threshold: that the load was scaled, where
	// that changes what it compares.
	Note string `json:"note,omitempty"`
	// Error says why the threshold could not be evaluated.
	Error string `json:"error,omitempty"`
}

// A Mark is something that happened, at an offset from the start of the run.
type Mark struct {
	Offset time.Duration `json:"offset_ns"`
	Source string        `json:"source"` // "event", "breaker payments", "alert ErrorRate", …
	Text   string        `json:"text"`
}

// result closes the run and returns what it was.
func (r *run) result() *Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.closed = true
	rec := r.mu.rec
	end := max(rec.lastEnd, 0)
	spent := r.mu.spent || r.Traffic.Kind() == traffic.Closed && r.mu.exhausted
	if r.mu.halt == nil && !spent {
		end = max(end, r.duration)
	}
	abandoned := int64(r.mu.inFlight.size)
	for u := r.mu.inFlight.first; u != nil; u = u.next {
		rec.busy.add(max(end-u.started, 0))
	}
	r.sampleAbandonedLocked()
	res := &Result{
		Version: ResultVersion, Scenario: r.Name, Profile: r.Traffic.String(), Seed: r.Seed, Scale: r.scale,
		Start: r.start.UTC(), Duration: r.duration, Elapsed: end,
		Scheduled: rec.scheduled, Started: rec.all.started, Finished: rec.all.finished, Errors: rec.all.errors,
		Dropped: rec.dropped, Interrupted: rec.interrupted + abandoned, Abandoned: abandoned, MaxInFlight: rec.maxInFlight,
		Attempts: rec.attempts, Retries: rec.retries, RetriesDenied: rec.denied,
		Timeouts: rec.timeouts, Panics: rec.panics, Goexits: rec.goexits,
		Response: rec.all.response, Service: rec.all.service, Late: rec.late,
		Steps: stepResults(rec.stepOrder), Tags: stepResults(rec.tagOrder), Checks: checkResults(rec),
		ErrorKinds: errorCounts(rec), Interval: rec.timeline.width, Timeline: rec.timeline.snapshot(),
		Busy: rec.busy.duration(), bug: rec.firstBug, Test: r.test, Repeat: r.repeat, coarse: rec.timeline.coarse(),
	}
	res.Marks, res.MarksDropped = r.marks(end)
	if r.mu.halt != nil {
		res.Halted, res.HaltedAt = text.Printable(r.mu.halt.Error()), qtests.Round(r.mu.haltedAt)
	}
	if end > 0 {
		res.MeanInFlight = rec.busy.over(end)
	}
	r.mu.rules.scaled(r.scale, isReal(r.clk))
	res.Thresholds = r.mu.rules.verdicts(end)
	return res
}

func stepResults(tallies []*tally) []StepResult {
	var out []StepResult
	for _, t := range tallies {
		if t.started == 0 && t.finished == 0 && t.part {
			continue
		}
		out = append(out, StepResult{
			Name: t.name, Part: t.part, Started: max(t.started, t.finished+t.interrupted), Finished: t.finished, Errors: t.errors,
			Interrupted: t.interrupted, LastEnd: t.lastEnd, Response: t.response, Service: t.service,
		})
	}
	return out
}

func checkResults(rec *recorder) []CheckResult {
	var out []CheckResult
	for _, name := range text.SortedKeys(rec.checks) {
		out = append(out, CheckResult{name, rec.checks[name].passed, rec.checks[name].of})
	}
	return out
}

// errorCounts are sorted by count, the most frequent first.
func errorCounts(rec *recorder) []ErrorCount {
	out := []ErrorCount{}
	for _, kind := range text.SortedKeys(rec.faults) {
		f := rec.faults[kind]
		out = append(out, ErrorCount{f.kind, f.count, f.first, f.step, f.text})
	}
	slices.SortStableFunc(out, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// marks are those of the event log that fall into the run and the events that it
// did not live to see, and how many marks were dropped since the start.
func (r *run) marks(end time.Duration) (out []Mark, dropped int) {
	out = []Mark{}
	all, dropped := r.EventLog.Marks()
	for _, m := range all {
		if at := m.At.Sub(r.start); at >= 0 && at <= max(end, r.duration)+r.Grace {
			out = append(out, Mark{qtests.Round(at), m.Source, m.Text})
		}
	}
	now := qtests.Round(r.offset())
	for _, e := range r.Events {
		if e.Offset > now {
			out = append(out, Mark{now, "event", e.Name + ": did not happen: the run had ended"})
		}
	}
	return out, dropped - r.lost
}

// showUnit formats a measured value for people.
func showUnit(x float64, u Unit) string {
	switch u {
	case Seconds:
		return duration(x).String()
	case Percent:
		return fmt.Sprintf("%.4g%%", x)
	case PerSecond:
		return fmt.Sprintf("%.4g/s", x)
	}
	return text.Grouped(int64(x))
}

// Failed returns the thresholds that were not kept or could not be evaluated.
func (r *Result) Failed() []Verdict {
	var failed []Verdict
	for _, v := range r.Thresholds {
		if !v.Pass {
			failed = append(failed, v)
		}
	}
	return failed
}

// ErrorRate is the share of the requests that ended with an error, from 0 to 1.
func (r *Result) ErrorRate() float64 {
	if r.Finished == 0 {
		return 0
	}
	return float64(r.Errors) / float64(r.Finished)
}

// Rate is the requests that ended, per second of the profile, or of the run
// where that ended before its time or with its budget.
func (r *Result) Rate() float64 { return perSecond(r.Finished, r.length()) }

// Goodput is the requests that ended without an error, as Rate.
func (r *Result) Goodput() float64 { return perSecond(r.Finished-r.Errors, r.length()) }

// length is what rates divide by: the time of the drain brings no arrivals.
func (r *Result) length() time.Duration { return min(r.Duration, r.Elapsed) }

// Step returns the figures of a step, part or route, and whether it ran.
func (r *Result) Step(name string) (StepResult, bool) {
	for _, s := range r.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return StepResult{}, false
}
