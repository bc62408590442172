package load

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// rules are the thresholds of a run, with what they need to keep while it runs.
// The run's mutex guards them.
//
// Most need nothing: they compare what the recorder counts anyway, in a window as
// the difference to what it had counted when the window began. So windows are
// closed before anything is counted that comes after them (turn), and only
// thresholds on the times of a window look at every request.
type rules struct {
	rec      *recorder
	rules    []*rule
	next     time.Duration // when the first window ends; never without one
	timed    []*rule       // over the times of the requests in a window
	late     []*rule       // over the lateness in a window
	length   time.Duration // of the profile
	until    time.Duration // when arrivals ended, at most length
	aborting bool          // one of them may end the run
	aborted  bool          // one of them did, and windows are over
	scale    string        // how the load differs from that of the scenario, if it does
}

const never = time.Duration(math.MaxInt64)

// A rule is one threshold.
type rule struct {
	Threshold
	text string

	tally    *tally // what it is about, once there is such a one
	searched int    // how many names were looked through for it
	over     bool   // the run has ended: what is under way was abandoned
	fatal    string // the value that aborted the run

	windows windows
}

func newRules(s *Scenario, rec *recorder) (*rules, error) {
	d := s.Traffic.Duration()
	rs := &rules{rec: rec, next: never, length: d, until: d}
	var errs []error
	for _, text := range s.Thresholds {
		t, err := ParseThreshold(text)
		if err == nil {
			if err = t.fits(d); err != nil {
				err = fmt.Errorf("load: threshold %q: %w", text, err)
			}
		}
		if errs = append(errs, err); err == nil {
			rs.add(t, text)
		}
	}
	for i, t := range s.Limits {
		if err := cmp.Or(t.Validate(), t.fits(d)); err != nil {
			errs = append(errs, fmt.Errorf("load: Scenario.Limits[%d]: %w", i, err))
			continue
		}
		rs.add(t, t.String())
	}
	return rs, errors.Join(errs...)
}

func (rs *rules) add(t Threshold, text string) {
	r := &rule{Threshold: t, text: text, searched: -1}
	rs.rules = append(rs.rules, r)
	rs.aborting = rs.aborting || t.Abort
	if t.Every == 0 {
		return
	}
	r.windows.end = t.Every
	rs.next = min(rs.next, t.Every)
	switch {
	case t.Late:
		rs.late = append(rs.late, r)
	case metrics[t.Metric].isTime():
		rs.timed = append(rs.timed, r)
	}
}

// scaled says that the load was multiplied, or that the run was shortened.
func (rs *rules) scaled(x float64, shortened bool) {
	switch {
	case x == 1:
		rs.scale = ""
	case shortened:
		rs.scale = "the run was scaled to " + text.Number(x) + " of its length"
	default:
		rs.scale = "the load was scaled by " + text.Number(x)
	}
}

// turn closes the windows that end at or before now.
//
//go:noinline
func (rs *rules) turn(now time.Duration) {
	rs.next = never
	for _, r := range rs.rules {
		if r.Every > 0 {
			r.turn(rs, now)
			rs.next = min(rs.next, r.windows.end)
		}
	}
}

// stop says that nothing arrives any more.
func (rs *rules) stop(now time.Duration) { rs.until = min(rs.until, now) }

// ended shows the times of a request that was counted to the windows.
//
//go:noinline
func (rs *rules) ended(u *User, e *ending) {
	for _, r := range rs.timed {
		t := r.find(rs.rec)
		if t == nil || t != &rs.rec.all && t != u.step && !rs.tagged(u, t) {
			continue
		}
		if r.Service {
			r.windows.times.Record(u.service(e.at))
		} else {
			r.windows.times.Record(u.response(e.at))
		}
	}
}

// tagged reports whether a request was counted under a tag.
func (rs *rules) tagged(u *User, t *tally) bool {
	for _, x := range u.tags {
		if rs.rec.tag(x) == t {
			return true
		}
	}
	return false
}

// partEnded is ended for a part of a request.
func (rs *rules) partEnded(part *tally, d time.Duration) {
	for _, r := range rs.timed {
		if r.find(rs.rec) == part {
			r.windows.times.Record(d)
		}
	}
}

// started shows the lateness of a request to the windows.
func (rs *rules) started(late time.Duration) {
	for _, r := range rs.late {
		r.windows.times.Record(late)
	}
}

// look returns why the run should end now, if it should. It is then aborted.
func (rs *rules) look(now time.Duration) error {
	if now >= rs.next {
		rs.turn(now)
	}
	for _, r := range rs.rules {
		if !r.Abort || now < r.AbortAfter {
			continue
		}
		if why := r.breaks(rs.rec, now); why != nil {
			rs.abort(now)
			return why
		}
	}
	return nil
}

// breaks says how the threshold is broken at now, if it is.
func (r *rule) breaks(rec *recorder, now time.Duration) error {
	if r.Every > 0 {
		if r.windows.broken > 0 && r.isKnown(rec) {
			return fmt.Errorf("load: threshold %s broken in the window from %v", r.text, r.windows.first)
		}
		return nil
	}
	if x, _, err := r.value(rec, now); err == nil && !r.compare(x) {
		r.fatal = showUnit(x, r.Unit)
		return fmt.Errorf("load: threshold %s broken: %s at %v", r.text, r.fatal, now)
	}
	return nil
}

// verdicts evaluates every threshold at the end of the run.
func (rs *rules) verdicts(end time.Duration) []Verdict {
	out := []Verdict{}
	for _, r := range rs.rules {
		r.over = true
		v := Verdict{Threshold: r.text}
		judge := r.verdict
		if r.Every > 0 {
			judge = r.verdictOfWindows
		}
		if err := judge(&v, rs, end); err != nil {
			v.Error = err.Error()
		} else if !v.Pass && slices.Contains(loaded, r.Metric) {
			v.Note = rs.scale
		}
		out = append(out, v)
	}
	return out
}

// loaded are the metrics that grow with the load.
var loaded = []string{"rate", "goodput", "count", "requests", "in_flight"}

// verdict judges the whole run, or what it was when that aborted it.
func (r *rule) verdict(v *Verdict, rs *rules, end time.Duration) error {
	if r.fatal != "" {
		v.Actual = r.fatal
		return nil
	}
	x, samples, err := r.value(rs.rec, min(end, rs.length))
	if err != nil {
		return err
	}
	v.Pass = r.compare(x)
	if v.Pass && samples == 0 && !metrics[r.Metric].zero {
		v.Pass = false
		return errNoSamples
	}
	v.Actual = showUnit(x, r.Unit)
	return nil
}
