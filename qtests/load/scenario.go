package load

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/accesslog"
	"github.com/go-qtests/qtests/qtests/load/internal/picker"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/section"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Scenario says who arrives when, what they do, and what must hold. It is a
// value; the zero value of a field is its documented default, and a negative or
// contradictory one is an error that names the field.
type Scenario struct {
	// Name is what results, metrics and the report show. Default "load".
	Name string

	// Profile says who arrives when. It has no default.
	Traffic traffic.Profile

	// Do is what a request does; its error makes the request a failed one. Its
	// context ends at the request's timeout, and at the end of the run's grace.
	// Exactly one of Do and Steps is set.
	Do func(ctx context.Context, u *User) error

	// Steps are what requests do, each in proportion to its weight. The shares
	// are exact over the run, and over every part of it to within one request;
	// nothing is drawn.
	Steps []Step

	// Route names the step under which a request of a replay is counted, from
	// its entry; with it, all requests run Do. Beyond 100 names, "other".
	Route func(accesslog.Entry) string

	// Timeout ends the context of each attempt of a request, counted from the
	// attempt's start; with Retry, the next attempt has the same again. Zero means none.
	Timeout time.Duration

	// Retry repeats failed requests. The zero value does not.
	Retry Retry

	// ThinkTime is how long a user of a closed profile waits between an answer and the
	// next request, rounded to the microsecond. It is drawn from u.Rand. A user whose pause
	// reaches the end of the profile makes no further request. A panic in a
	// latency.Func, or runtime.Goexit, ends the run with an error. Default none.
	ThinkTime latency.Distribution

	// Pacing is the least time between the starts of two requests of a user of a closed
	// profile. With ThinkTime the next request starts at the later of the two instants. A
	// request that takes longer than Pacing is followed by the next one at once, or after
	// ThinkTime. Default none.
	Pacing time.Duration

	// NewUser is called once for every user of a closed profile, before the user's first
	// request. It may set u.State, for example. A user who leaves and comes back is a new
	// user with the same number. The time that NewUser takes and its tags belong to no
	// request, and u.Step() is "".
	//
	// Its context ends when it returns. It ends sooner, as the context of a request does, when
	// Grace is over after the end of the run or after the user has left. The run waits for
	// NewUser as for a request.
	//
	// An error, a panic or runtime.Goexit ends the arrivals at once, and Result.Halted says
	// why. Requests under way then have their Grace. An error after the end of the profile is
	// reported in the same way, also if the context had ended, unless the user had left.
	NewUser func(ctx context.Context, u *User) error

	// Feeds are rows of data that requests take by name; see User.Row.
	Feeds map[string]*Feed

	// MaxInFlight is how many requests may be under way at once, also those that wait for a
	// retry. Default 100,000. Overflow says what happens to a further request, and MaxQueue
	// how many may wait, by default 1,000,000. If the queue is full, a request is dropped.
	MaxInFlight int
	Overflow    Overflow
	MaxQueue    int

	// ServeQueue lets requests that still wait in the queue when the profile ends start within
	// Grace, as places become free. What waits longer is dropped. Without it they are dropped when
	// the profile ends. An end before the time drops them in any case.
	ServeQueue bool

	// Grace is how much longer requests may take that are under way when the profile ends.
	// After it, those that are left are cancelled, in order, and counted as interrupted.
	// Default 30 s. NoGrace means no time at all.
	Grace   time.Duration
	NoGrace bool

	// LeaveGrace is how much longer the request of a user may take who leaves a closed profile
	// before its end. After it the request is cancelled and counted as interrupted. Default Grace.
	// NoLeaveGrace means no time at all. At the end of the profile Grace counts.
	LeaveGrace   time.Duration
	NoLeaveGrace bool

	// Events happen at their offsets from the start. They must begin before the profile
	// ends. An event that has not ended by the end of the run is ended then.
	Events []event.Event

	// Thresholds and Limits are what must hold, as text (see threshold.Parse) and
	// as values.
	Thresholds []string
	Limits     []threshold.Threshold

	// Monitor supplies the series of pools, breakers and alerts for the report.
	Monitor *monitor.Monitor

	// Sections tell of themselves when the run has ended, in the order given here, for the summary and the report: a fleet.Fleet, a
	// shed.Gate, a degrade.Meter, a fakesql.Fake, or a section.Source of one's own. One that panics counts as a panic of the
	// scenario, and one that is malformed says so in its place.
	Sections []section.Source

	// Metrics, if set, exports this run's counters; give it to the monitor, too.
	Metrics *Metrics

	// RequestLog, if set, receives every request as it ends or is dropped.
	RequestLog *result.RequestLog

	// Scalable allows -qtests.scale to shorten the scenario when it runs in real time: its
	// stages, bursts and waves, at the same rates, and in the same proportion the instants of
	// its events, and the windows (every) and delays (abort after) of its thresholds. A replay
	// then goes faster and leaves out entries, evenly. Timeout, Grace, ThinkTime, Pacing and
	// what a threshold compares stay. A scenario that is not Scalable is never scaled in real
	// time. Under a fake clock the scale multiplies arrivals and users instead, and moves no
	// instant.
	Scalable bool

	// FailWhenSlow makes it a failure, Result.Slow, if in real time the machine that generates
	// the load was too slow: if more than 1% of the requests started over 10 ms after they
	// were due. Otherwise that is a warning. Do has no test to fail, but its result says so
	// as well.
	FailWhenSlow bool

	// ErrorKind names the kind under which an error is counted. The default is
	// described at KindOf; with it, every request that hit Timeout is of the kind
	// "timeout", whatever its error.
	ErrorKind func(error) string

	// Clock, Seed and EventLog are those of the test by default. Without a test the default
	// is the real clock, tb.DefaultSeed and no event log.
	Clock    clock.Clock
	Seed     uint64
	EventLog *event.Log
}

// A Step is one thing that requests of a scenario do.
type Step struct {
	// Name is what thresholds and results call it. Unique in its scenario.
	Name string
	// Weight is the step's share, relative to the other steps, from 1 to 1,000,000.
	// Default 1.
	Weight int
	// Do is as in Scenario.
	Do func(ctx context.Context, u *User) error
}

// Overflow is what happens to a request that is due while MaxInFlight others
// are under way.
type Overflow int

const (
	// Drop counts it as dropped and does not start it.
	Drop Overflow = iota
	// Queue lets it wait, first come, first served. Its response time counts from the instant
	// at which it was due. A request that still waits when the profile ends is dropped, unless
	// Scenario.ServeQueue says otherwise.
	Queue
)

// Defaults of Scenario.
const (
	DefaultName        = "load"
	DefaultGrace       = 30 * time.Second
	DefaultMaxInFlight = 100_000
	DefaultMaxQueue    = 1_000_000
)

// withDefaults returns the scenario with every zero field replaced by its default, or an error
// that names every wrong field.
func (s Scenario) withDefaults() (Scenario, error) {
	check := field.Check("load: Scenario")
	s.checkWork(check)
	check.Err("Traffic", s.Traffic.Err())
	check.Duration("Timeout", s.Timeout)
	check.Duration("Pacing", s.Pacing)
	check.Err("ThinkTime", s.ThinkTime.Err())
	check.Count("MaxInFlight", s.MaxInFlight)
	check.Count("MaxQueue", s.MaxQueue)
	check.Duration("Grace", s.Grace)
	check.That(s.Grace == 0 || !s.NoGrace, "Grace", s.Grace, "contradicts NoGrace")
	check.Duration("LeaveGrace", s.LeaveGrace)
	check.That(s.LeaveGrace == 0 || !s.NoLeaveGrace, "LeaveGrace", s.LeaveGrace, "contradicts NoLeaveGrace")
	check.That(!s.ServeQueue || s.Overflow == Queue, "ServeQueue", s.ServeQueue, "has no meaning without Overflow: Queue")
	check.That(!s.ServeQueue || !s.NoGrace, "ServeQueue", s.ServeQueue, "contradicts NoGrace, which leaves no time for it")
	check.That(s.Overflow == Drop || s.Overflow == Queue, "Overflow", int(s.Overflow), "is neither Drop nor Queue")
	check.That(s.MaxQueue == 0 || s.Overflow == Queue, "MaxQueue", s.MaxQueue, "has no meaning with Overflow: Drop")
	s.Retry.check(check)
	s.checkKind(check)
	s.checkEvents(check)
	s.checkFeeds(check)
	for i, source := range s.Sections {
		check.That(source != nil, fmt.Sprintf("Sections[%d]", i), "nil", "tells nothing")
	}
	s.Name = cmp.Or(s.Name, DefaultName)
	s.MaxInFlight = cmp.Or(s.MaxInFlight, DefaultMaxInFlight)
	s.MaxQueue = cmp.Or(s.MaxQueue, DefaultMaxQueue)
	if s.Grace == 0 && !s.NoGrace {
		s.Grace = DefaultGrace
	}
	if s.LeaveGrace == 0 && !s.NoLeaveGrace {
		s.LeaveGrace = s.Grace
	}
	if s.Clock == nil {
		s.Clock = clock.New()
	}
	s.Seed = cmp.Or(s.Seed, tb.DefaultSeed)
	if s.ErrorKind == nil {
		s.ErrorKind = KindOf
	}
	_, mock := s.Clock.(*clock.Mock)
	check.That(!mock, "Clock", "*clock.Mock", "is stepped by hand and cannot drive a load; use qtests.Run or the real clock")
	return s, check.Result()
}

// checkKind checks what has a meaning only with users, or only without them.
func (s *Scenario) checkKind(check *field.Checker) {
	if s.Traffic.Kind() != traffic.Closed {
		check.That(s.ThinkTime.IsZero(), "ThinkTime", s.ThinkTime, "has no meaning in an open profile, which has no users")
		check.That(s.Pacing == 0, "Pacing", s.Pacing, "has no meaning in an open profile, which has no users")
		check.That(s.LeaveGrace == 0 && !s.NoLeaveGrace, "LeaveGrace", s.LeaveGrace, "has no meaning in an open profile, which has no users")
		check.That(s.NewUser == nil, "NewUser", "a function", "has no meaning in an open profile, which has no users")
	}
	if s.Traffic.Kind() == traffic.Closed {
		check.That(s.MaxInFlight == 0, "MaxInFlight", s.MaxInFlight, "has no meaning in a closed profile: the users are the limit")
		check.That(s.Overflow == Drop, "Overflow", int(s.Overflow), "has no meaning in a closed profile: the users are the limit")
	}
}

func (s *Scenario) checkWork(check *field.Checker) {
	check.That(s.Do != nil || len(s.Steps) > 0, "Do", "nil", "and no Steps: there is nothing to do")
	check.That(s.Do == nil || len(s.Steps) == 0, "Steps", len(s.Steps), "contradict Do")
	check.That(s.Route == nil || s.Traffic.Kind() == traffic.Replayed, "Route", "a function", "has no meaning without a replay")
	check.That(s.Route == nil || len(s.Steps) == 0, "Route", "a function", "contradicts Steps: each has a name")
	check.That(len(s.Steps) <= record.MaxSteps, "Steps", len(s.Steps), "are more than %d", record.MaxSteps)
	names := map[string]bool{}
	for i, step := range s.Steps {
		name := fmt.Sprintf("Steps[%d]", i)
		check.That(step.Name != "", name+".Name", `""`, "is empty")
		check.That(!names[step.Name], name+".Name", step.Name, "is there twice")
		check.That(step.Weight >= 0 && step.Weight <= picker.MaxWeight, name+".Weight", step.Weight, "is not between 1 and %d", picker.MaxWeight)
		check.That(step.Do != nil, name+".Do", "nil", "has nothing to do")
		names[step.Name] = true
	}
}

func (s *Scenario) checkEvents(check *field.Checker) {
	d := s.Traffic.Duration()
	for i, e := range s.Events {
		name := fmt.Sprintf("Events[%d]", i)
		check.Err(name, e.Validate())
		check.That(d == 0 || e.Offset < d, name+".Offset", e.Offset, "of %q is past the end of the scenario, %v", e.Name, d)
	}
}

// checkFeeds wants rows in every feed.
func (s *Scenario) checkFeeds(check *field.Checker) {
	for _, name := range text.SortedKeys(s.Feeds) {
		f := s.Feeds[name]
		check.That(f != nil && len(f.rows) > 0, fmt.Sprintf("Feeds[%q]", name), "a feed", "without rows: make it with CSVFeed or JSONFeed")
	}
}
