package result

import (
	"time"

	"github.com/go-qtests/qtests/qtests/section"
)

// Version is the version of the JSON form of a Result. Read reads
// this one and says so when it meets another.
const Version = 1

// A Result is what a run leaves. It is a value that does not refer to the run, and its size does not
// depend on the number of requests. Under a fake clock it is the same, byte for byte, for the same seed.
//
// Counts add up: Scheduled = Started + Dropped, Started = Finished + Interrupted.
type Result struct {
	Version  int     `json:"version"`
	Scenario string  `json:"scenario"`
	Test     string  `json:"test,omitempty"`
	Profile  string  `json:"profile"` // Scenario.Traffic in words, as it ran: scaled
	Seed     uint64  `json:"seed"`    // from which the run's streams were derived
	Scale    float64 `json:"scale"`   // of -qtests.scale, 1 where nothing was scaled

	Start time.Time `json:"start"`
	// Origin is, of a replay at the log's own speed, the instant of the log that is the start.
	Origin   time.Time     `json:"origin,omitzero"`
	Duration time.Duration `json:"duration_ns"` // of the profile
	// Elapsed is the time until the end of the last request, to the microsecond. It is at least Duration, unless the
	// run was halted or its budget was used up.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Halted says why the run ended before its time, and is empty if it did not.
	Halted string `json:"halted,omitempty"`
	// HaltedAt is when the arrivals were ended before their time. What was under way then had its
	// grace.
	HaltedAt time.Duration `json:"halted_at_ns,omitempty"`
	// Warning says that in real time the machine which generated the load was too slow, and Slow
	// that this fails the run, as Scenario.FailWhenSlow wants.
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

	Attempts      int64 `json:"attempts"`       // of requests that have ended; each has 1 without Retry
	Retries       int64 `json:"retries"`        // attempts after the first, begun
	RetriesDenied int64 `json:"retries_denied"` // refused by Retry.Budget
	Timeouts      int64 `json:"timeouts"`       // failed requests whose last error is a passed deadline, or whose last attempt hit Scenario.Timeout
	Panics        int64 `json:"panics"`         // of steps, interrupted ones too, and of the scenario's other functions
	Goexits       int64 `json:"goexits"`        // of steps, NewUser and ThinkTime

	// Response is measured from the instant at which a request was due, Service from its start.
	// Late is the time between the two, of the requests that did not queue. It tells how late the
	// generator was: that a request has to wait for a place is due to the system.
	Response Histogram `json:"response"`
	Service  Histogram `json:"service"`
	Late     Histogram `json:"late"`
	// MeanInFlight is the average number of requests under way over Elapsed. Busy is the sum of the
	// times that they were under way, to the nanosecond, where the histograms round each time to the
	// microsecond. By Little's law MeanInFlight is Busy/Elapsed.
	MeanInFlight float64       `json:"mean_in_flight"`
	Busy         time.Duration `json:"busy_ns"`

	Steps      []StepResult  `json:"steps"`
	Tags       []StepResult  `json:"tags,omitempty"`
	Checks     []CheckResult `json:"checks,omitempty"`
	ErrorKinds []ErrorCount  `json:"error_kinds"`
	Thresholds []Verdict     `json:"thresholds"`
	// Metrics are those of the scenario's own, in the order of their names.
	Metrics []MetricResult `json:"metrics,omitempty"`

	Interval time.Duration `json:"interval_ns"` // the width of the timeline's points
	Timeline []Point       `json:"timeline"`
	Heat     Heat          `json:"heat,omitzero"`
	Marks    []Mark        `json:"marks"`
	// MarksDropped is how many marks the event log had no room for during the run.
	MarksDropped int `json:"marks_dropped,omitempty"`
	// Series are those of Scenario.Monitor.
	Series []Series `json:"series,omitempty"`
	// Monitored is what else Scenario.Monitor knew at the end; nil without one.
	Monitored *Monitored `json:"monitored,omitempty"`
	// Sections are what the sources of Scenario.Sections told when the run had ended.
	Sections []section.Section `json:"sections,omitempty"`

	// LogLost says why Scenario.RequestLog could not be written to its end, which fails the
	// run.
	LogLost string `json:"log_lost,omitempty"`

	// Order says, of a run on the ordered runtime, whether all of it came from the seed: "whole",
	// or what disturbed it and where. On the stock runtime it is "".
	Order string `json:"order,omitempty"`
	// Repeat is the command that repeats the run, when it ran in a test.
	Repeat string `json:"repeat,omitempty"`

	// Baseline is what load.Baseline compared it with; the report draws its curves behind those of the run.
	Baseline *Summary `json:"baseline,omitempty"`
	// Part says that this is one of the parts of a run, and is nil for a run that has no parts.
	Part *Part `json:"part,omitempty"`

	// What follows is known in the process that ran the scenario, and not part of the JSON.

	// Aborted says that a threshold ended the run.
	Aborted bool `json:"-"`
	// FirstPanic is the first panic of the user's code, with its stack.
	FirstPanic string `json:"-"`
	// Buckets are the response times of every interval of the timeline, for WriteHLog.
	Buckets [][]Bucket `json:"-"`
}

// A Bucket is how many response times of an interval were about the same.
type Bucket struct {
	Top   time.Duration // the largest that they may have been, at most 3.2 % too high
	Count int64
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
	// Curve is the history of a step, part or route, of the first 20 of them, in intervals of Interval.
	Interval time.Duration `json:"interval_ns,omitempty"`
	Curve    []StepPoint   `json:"curve,omitempty"`
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

// A Mark is something that happened, at an offset from the start of the run.
type Mark struct {
	Offset time.Duration `json:"offset_ns"`
	Source string        `json:"source"` // "event", "breaker payments", "alert ErrorRate", …
	Text   string        `json:"text"`
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

// Rate is the number of requests that ended, per second of Length.
func (r *Result) Rate() float64 { return RateOf(r.Finished, r.Length()) }

// Goodput is the number of requests that ended without an error, per second of Length.
func (r *Result) Goodput() float64 { return RateOf(r.Finished-r.Errors, r.Length()) }

// Length is how long load arrived: Duration, or Elapsed where the run ended sooner. Rates
// divide by it, because nothing arrives after it.
func (r *Result) Length() time.Duration { return min(r.Duration, r.Elapsed) }

// Step returns the figures of a step, part or route, and whether it ran.
func (r *Result) Step(name string) (StepResult, bool) {
	for _, s := range r.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return StepResult{}, false
}

// RateOf is a rate per second: n in the time d, or zero where d is not positive.
func RateOf(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// EndedAt is when a run that ended early ended its arrivals, or else the end of the run.
func (r *Result) EndedAt() time.Duration {
	if r.HaltedAt > 0 {
		return r.HaltedAt
	}
	return r.Elapsed
}
