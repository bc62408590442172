package record

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// A Recorder counts what happens in a run. It is a plain structure: the run
// locks it. Its size does not depend on the number of requests.
type Recorder struct {
	All       Tally
	Steps     map[string]*Tally
	StepOrder []*Tally
	tags      map[Tag]*Tally
	TagOrder  []*Tally
	Checks    map[string]*checkTally
	Own       map[string]*Own // metrics of the scenario's own
	faults    map[string]*faultTally
	timeline  *timeline
	length    time.Duration // of the run

	Scheduled, Dropped, Interrupted int64
	abandoned                       int64 // under way when the run gave them up
	InFlight, MaxInFlight           int64
	attempts, Retries, Denied       int64
	retrying                        int64 // retries that wait for their back-off to be over
	Timeouts, Panics, goexits       int64
	busy                            span          // requests under way, added up over time
	Seen                            time.Duration // the latest start or end
	LastEnd                         time.Duration
	Late                            result.Histogram // started - intended, of requests that did not queue
	firstBug                        string           // the first panic, with its stack
}

// New returns the recorder of a run of length d.
func New(d time.Duration) *Recorder {
	return &Recorder{
		Steps: map[string]*Tally{}, tags: map[Tag]*Tally{}, Checks: map[string]*checkTally{}, Own: map[string]*Own{},
		faults: map[string]*faultTally{}, timeline: newTimeline(d), length: d,
	}
}

// Arrive counts a request that is due.
func (r *Recorder) Arrive(at time.Duration) {
	r.Scheduled++
	r.timeline.at(at).Arrivals++
}

// Drop counts a request that was due at at, and is not made.
func (r *Recorder) Drop(at time.Duration) {
	r.Dropped++
	r.timeline.at(at).Dropped++
}

// Start counts a request of t that begins.
func (r *Recorder) Start(t *Tally, at time.Duration) {
	r.level(at, +1)
	r.MaxInFlight = max(r.MaxInFlight, r.InFlight)
	r.All.Started++
	if t != &r.All {
		t.Started++
	}
	r.timeline.start(at)
}

// level accounts for a change of the requests in flight.
func (r *Recorder) level(at time.Duration, change int64) {
	r.Seen = max(r.Seen, at)
	r.InFlight += change
}

// timeout counts a request that failed because its time was over.
func (r *Recorder) timeout(q *Request) {
	r.Timeouts++
	q.Step.Timeouts++
	for _, x := range q.Tags.All() {
		r.Tag(x).Timeouts++
	}
}

// End counts a request that ended; its step is q.step.
func (r *Recorder) End(q *Request, e *Ending) {
	r.level(e.At, -1)
	r.busy.add(e.At - q.Started)
	r.LastEnd = max(r.LastEnd, e.At)
	p := r.timeline.finish(e.At)
	r.attempts += int64(q.Attempts)
	if e.Interrupted {
		r.Interrupted++
		q.Step.Interrupted++
		p.Interrupted++
		for _, x := range q.Tags.All() {
			r.Tag(x).Interrupted++
		}
		return
	}
	p.Finished++
	response, service := q.Response(e.At), q.Service(e.At)
	p.times.Record(response)
	if e.Failed {
		p.Errors++
	}
	r.All.count(e.At, response, service, e.Failed)
	if q.Step != &r.All {
		q.Step.count(e.At, response, service, e.Failed)
	}
	for _, x := range q.Tags.All() {
		r.Tag(x).count(e.At, response, service, e.Failed)
	}
}

// Fail counts the failure of a request that has been counted by end. Of an
// interrupted one the error comes from the interruption, but a panic is a panic.
func (r *Recorder) Fail(q *Request, e *Ending, f *Failure) {
	if f.Bug != "" {
		r.Bug(f.Bug)
	}
	if f.Goexit {
		r.goexits++
	}
	if e.Interrupted {
		return
	}
	if f.Timeout {
		r.timeout(q)
	}
	r.fault(f.Kind, q.Step.Name, f.Text, e.At)
}

// Bug counts a panic, and keeps the first.
func (r *Recorder) Bug(text string) {
	r.Panics++
	if r.firstBug == "" {
		r.firstBug = text
	}
}

// Lateness counts how late a request started that did not wait in the queue.
func (r *Recorder) Lateness(d time.Duration) { r.Late.Record(d) }

// Part counts a part of a request that ended at now and took d.
func (r *Recorder) Part(name string, now, d time.Duration, failed bool) *Tally {
	t := r.Step(name, true)
	t.Started++
	t.count(now, d, d, failed)
	return t
}

// Goexit counts a call of runtime.Goexit outside of a request.
func (r *Recorder) Goexit() { r.goexits++ }

// Lasts says that the run went on until d at least.
func (r *Recorder) Lasts(d time.Duration) { r.LastEnd = max(r.LastEnd, d) }

// AllRetries returns how many retries were made or wait for their back-off to be over.
func (r *Recorder) AllRetries() int64 { return r.Retries + r.retrying }

// Deny counts a retry of a request of step that the budget did not allow.
func (r *Recorder) Deny(step *Tally) {
	r.Denied++
	step.Denied++
}

// AwaitRetry counts a retry that waits for its back-off to be over. retry or
// giveUpRetry follows.
func (r *Recorder) AwaitRetry() { r.retrying++ }

// GiveUpRetry takes back awaitRetry.
func (r *Recorder) GiveUpRetry() { r.retrying-- }

// Retry counts a retry that begins at now, after awaitRetry.
func (r *Recorder) Retry(step *Tally, now time.Duration) {
	r.retrying--
	r.Retries++
	step.Retries++
	r.timeline.at(now).Retries++
}
