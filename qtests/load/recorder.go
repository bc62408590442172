package load

import (
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// maxNames bounds how many steps, tags, checks and kinds of error a run tells apart;
// what comes later is counted as other.
const (
	maxNames = 100
	other    = "other"
)

// A tally is what is counted of one step, one tag, or a whole run.
type tally struct {
	name              string
	part              bool // by User.Part, not a request of its own
	started, finished int64
	errors            int64
	response, service Histogram
	lastEnd           time.Duration
	interrupted       int64
	timeouts          int64
	retries, denied   int64 // of a step
}

func (t *tally) end(u *User, e *ending) {
	t.count(e.at, u.response(e.at), u.service(e.at), e.failed)
}

func (t *tally) count(at, response, service time.Duration, failed bool) {
	t.finished++
	t.response.Record(response)
	t.service.Record(service)
	if failed {
		t.errors++
	}
	t.lastEnd = at
}

// A faultTally counts the errors of one kind.
type faultTally struct {
	kind, step, text string
	count            int64
	first            time.Duration
}

type checkTally struct {
	name       string
	passed, of int64
}

// A recorder counts what happens in a run. It is a plain structure: the run
// locks it. Its size does not depend on the number of requests.
type recorder struct {
	all       tally
	steps     map[string]*tally
	stepOrder []*tally
	tags      map[tag]*tally
	tagOrder  []*tally
	checks    map[string]*checkTally
	faults    map[string]*faultTally
	timeline  *timeline

	scheduled, dropped, interrupted int64
	inFlight, maxInFlight           int64
	attempts, retries, denied       int64
	retrying                        int64 // retries that wait for their back-off to be over
	timeouts, panics, goexits       int64
	busy                            span          // requests under way, added up over time
	seen                            time.Duration // the latest start or end
	lastEnd                         time.Duration
	late                            Histogram // started - intended, of requests that did not queue
	firstBug                        string    // the first panic, with its stack
}

func newRecorder(d time.Duration) *recorder {
	return &recorder{
		steps: map[string]*tally{}, tags: map[tag]*tally{}, checks: map[string]*checkTally{},
		faults: map[string]*faultTally{}, timeline: newTimeline(d),
	}
}

// partSuffix tells a part from a step that has its name.
const partSuffix = " (part)"

// step returns the tally of a step or a part, or that of "other" when there are too
// many. A part never shares the tally of a step, which counts requests.
func (r *recorder) step(name string, part bool) *tally {
	if t, ok := r.steps[name]; ok {
		switch {
		case t.part == part:
			return t
		case part:
			return r.step(name+partSuffix, true)
		}
		r.makeRoom(t)
	}
	full := len(r.steps) >= maxSteps || len(r.steps) >= maxNames && part
	if full && name != other && name != other+partSuffix {
		return r.step(other, part)
	}
	t := &tally{name: name, part: part}
	r.steps[name] = t
	r.stepOrder = append(r.stepOrder, t)
	return t
}

// makeRoom renames a part when a route is found to have its name.
func (r *recorder) makeRoom(part *tally) {
	delete(r.steps, part.name)
	for taken := true; taken; _, taken = r.steps[part.name] {
		part.name += partSuffix
	}
	r.steps[part.name] = part
}

// only makes the run's own tally the one of its only step, so that nothing is
// counted twice.
func (r *recorder) only(name string) *tally {
	r.all.name = name
	r.steps[name] = &r.all
	r.stepOrder = append(r.stepOrder, &r.all)
	return &r.all
}

func (r *recorder) route(name string) *tally {
	if _, ok := r.steps[name]; !ok && len(r.steps) >= maxNames {
		name = other
	}
	return r.step(name, false)
}

func (r *recorder) tag(t tag) *tally {
	if known, ok := r.tags[t]; ok {
		return known
	}
	if len(r.tags) >= maxNames {
		t = tag{t.key, other}
		if known, ok := r.tags[t]; ok {
			return known
		}
		if len(r.tags) >= 2*maxNames {
			t.key = other
			if known, ok := r.tags[t]; ok {
				return known
			}
		}
	}
	known := &tally{name: t.key + "=" + t.value}
	r.tags[t] = known
	r.tagOrder = append(r.tagOrder, known)
	return known
}

func (r *recorder) check(name string, ok bool) {
	c, known := r.checks[name]
	if !known {
		if len(r.checks) >= maxNames {
			name = other
		}
		if c, known = r.checks[name]; !known {
			c = &checkTally{name: name}
			r.checks[name] = c
		}
	}
	c.of++
	if ok {
		c.passed++
	}
}

func (r *recorder) fault(kind, step, text string, at time.Duration) {
	f, known := r.faults[kind]
	if !known {
		if len(r.faults) >= maxNames {
			kind = other
		}
		if f, known = r.faults[kind]; !known {
			f = &faultTally{kind: kind, step: step, text: text, first: at}
			r.faults[kind] = f
		}
	}
	f.count++
}

// arrive counts a request that is due.
func (r *recorder) arrive(at time.Duration) {
	r.scheduled++
	r.timeline.at(at).Arrivals++
}

func (r *recorder) drop(at time.Duration) {
	r.dropped++
	r.timeline.at(at).Dropped++
}

func (r *recorder) start(t *tally, at time.Duration) {
	r.level(at, +1)
	r.maxInFlight = max(r.maxInFlight, r.inFlight)
	r.all.started++
	if t != &r.all {
		t.started++
	}
	r.timeline.start(at)
}

// level accounts for a change of the requests in flight.
func (r *recorder) level(at time.Duration, change int64) {
	r.seen = max(r.seen, at)
	r.inFlight += change
}

// timeout counts a request that failed because its time was over.
func (r *recorder) timeout(u *User) {
	r.timeouts++
	u.step.timeouts++
	for _, x := range u.tags {
		r.tag(x).timeouts++
	}
}

// An ending is how a request ended.
type ending struct {
	at                  time.Duration
	failed, interrupted bool
}

// response is the time of a request that ends at an instant, from when it was due,
// and service that from its start.
func (u *User) response(end time.Duration) time.Duration { return qtests.Round(end - u.intended) }
func (u *User) service(end time.Duration) time.Duration  { return qtests.Round(end - u.started) }

// end counts a request that ended; its step is u.step.
func (r *recorder) end(u *User, e *ending) {
	r.level(e.at, -1)
	r.busy.add(e.at - u.started)
	r.lastEnd = max(r.lastEnd, e.at)
	p := r.timeline.finish(e.at)
	r.attempts += int64(u.attempts)
	if e.interrupted {
		r.interrupted++
		u.step.interrupted++
		p.Interrupted++
		for _, x := range u.tags {
			r.tag(x).interrupted++
		}
		return
	}
	p.Finished++
	p.sketch.record(u.response(e.at))
	if e.failed {
		p.Errors++
	}
	r.all.end(u, e)
	if u.step != &r.all {
		u.step.end(u, e)
	}
	for _, x := range u.tags {
		r.tag(x).end(u, e)
	}
}

// fail counts the failure of a request that has been counted by end. Of an
// interrupted one the error is that of the interruption, but a panic is a panic.
func (r *recorder) fail(u *User, e *ending, f *failure) {
	if f.bug != "" {
		r.bug(f.bug)
	}
	if f.goexit {
		r.goexits++
	}
	if e.interrupted {
		return
	}
	if f.timeout {
		r.timeout(u)
	}
	r.fault(f.kind, u.step.name, f.text, e.at)
}

// bug counts a panic, and keeps the first.
func (r *recorder) bug(text string) {
	r.panics++
	if r.firstBug == "" {
		r.firstBug = text
	}
}

// A span is a sum of durations that may exceed the 292 years of one.
type span struct{ seconds, nanos int64 }

func (s *span) add(d time.Duration) {
	s.seconds += int64(d / time.Second)
	s.nanos += int64(d % time.Second)
	if s.nanos >= int64(time.Second) {
		s.seconds, s.nanos = s.seconds+1, s.nanos-int64(time.Second)
	}
}

// over is s/d.
func (s *span) over(d time.Duration) float64 {
	return (float64(s.seconds)*1e9 + float64(s.nanos)) / float64(d)
}

// duration is the sum, or the longest Duration.
func (s *span) duration() time.Duration {
	if s.seconds >= int64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s.seconds)*time.Second + time.Duration(s.nanos)
}
