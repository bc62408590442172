package load

import (
	"fmt"
	"time"
)

// rules are the thresholds of a run, with what they need to keep while it runs.
// The run's mutex guards them.
type rules struct {
	rules   []*rule
	length  time.Duration // of the profile
	nextAll time.Duration // when aborting thresholds are looked at next
}

// A rule is one threshold.
type rule struct {
	Threshold
	text string

	// of a threshold over windows
	window          tally
	end             time.Duration
	windows, broken int
	worst           float64
	firstBroken     time.Duration
	breach          bool
}

// abortEvery is how often a run looks at thresholds that abort it.
const abortEvery = time.Second

func newRules(s *Scenario) (*rules, error) {
	rs := &rules{length: s.Profile.Duration()}
	for _, text := range s.Thresholds {
		t, err := ParseThreshold(text)
		if err != nil {
			return nil, err
		}
		rs.add(t, text)
	}
	for i, t := range s.Limits {
		if err := t.Validate(); err != nil {
			return nil, fmt.Errorf("load: Scenario.Limits[%d]: %w", i, err)
		}
		rs.add(t, t.String())
	}
	for _, r := range rs.rules {
		if err := r.checkStep(s); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

func (rs *rules) add(t Threshold, text string) {
	rs.rules = append(rs.rules, &rule{Threshold: t, text: text, end: t.Every})
}

// checkStep finds a mistyped step before the run, where the steps are known.
// Parts and routes are known only after it.
func (r *rule) checkStep(s *Scenario) error {
	if r.Step == "" || len(s.Steps) == 0 {
		return nil
	}
	var names []string
	for _, step := range s.Steps {
		if step.Name == r.Step {
			return nil
		}
		names = append(names, step.Name)
	}
	if near := nearest(r.Step, names); len(near) == 0 {
		return nil // perhaps a part
	}
	return fmt.Errorf("load: threshold %q: %w", r.text, unknown("step", r.Step, names))
}

// observe takes one request that ended, closes the windows that are over, and
// returns why the run should end, if it should.
func (rs *rules) observe(rec *recorder, u *User, e *ending) error {
	for _, r := range rs.rules {
		if r.Every > 0 {
			if r.roll(e.at, rs.length); r.breach && r.Abort && e.at >= r.AbortAfter {
				return fmt.Errorf("load: threshold %s broken in the window from %v", r.text, r.firstBroken)
			}
			if !e.interrupted && r.covers(u.step, u.tags) {
				r.window.end(u, e)
			}
		}
	}
	if e.at < rs.nextAll {
		return nil
	}
	rs.nextAll = e.at - e.at%abortEvery + abortEvery
	for _, r := range rs.rules {
		if r.Abort && r.Every == 0 && e.at >= r.AbortAfter {
			if x, _, err := r.value(rec, e.at); err == nil && !r.compare(x) {
				return fmt.Errorf("load: threshold %s broken: %s at %v", r.text, formatUnit(x, r.Unit), e.at)
			}
		}
	}
	return nil
}

func (r *rule) covers(step *tally, tags []tag) bool {
	if r.Step != "" {
		return step.name == r.Step
	}
	if r.Tag == "" {
		return true
	}
	for _, t := range tags {
		if t.key+"="+t.value == r.Tag {
			return true
		}
	}
	return false
}

// roll closes every window that ends at or before now. Windows in which nothing
// ended keep nothing to compare, but their rates and counts are zero.
func (r *rule) roll(now, length time.Duration) {
	for now >= r.end {
		if r.window.finished > 0 || !r.needsSamples() && r.end <= length {
			r.close(r.Every)
		} else if n := (now - r.end) / r.Every; n > 0 && r.needsSamples() {
			r.end += n * r.Every // an empty stretch of any length costs nothing
		}
		r.end += r.Every
	}
}

func (r *rule) close(length time.Duration) {
	x, err := r.of(&r.window, length)
	if err == nil {
		r.windows++
		if !r.compare(x) {
			if r.broken == 0 {
				r.firstBroken = r.end - r.Every
			}
			r.broken++
			r.breach = true
		}
		if r.windows == 1 || r.worse(x) {
			r.worst = x
		}
	}
	r.window.response.reset()
	r.window.service.reset()
	r.window.finished, r.window.errors = 0, 0
}

func (r *rule) worse(x float64) bool {
	if r.Op == ">" || r.Op == ">=" {
		return x < r.worst
	}
	return x > r.worst
}

func (r *rule) needsSamples() bool { return metrics[r.Metric].isTime() || r.Unit == Percent }

// value computes the metric over the run, and from how many samples.
func (r *rule) value(rec *recorder, elapsed time.Duration) (x float64, samples int64, err error) {
	if r.Metric == "checks" {
		return r.checks(rec)
	}
	t := &rec.all
	switch {
	case r.Step != "":
		if t = rec.steps[r.Step]; t == nil {
			return 0, 0, unknown("step", r.Step, sortedKeys(rec.steps))
		}
	case r.Tag != "":
		if t = findTag(rec, r.Tag); t == nil {
			return 0, 0, unknown("tag", r.Tag, tagNames(rec))
		}
	}
	if r.Late {
		return r.time(&rec.late)
	}
	if count, of, ok := r.counter(rec); ok {
		return r.inUnit(count, of, elapsed)
	}
	x, err = r.of(t, elapsed)
	return x, t.finished, err
}

// counter returns a count of the whole run, and what it is a share of.
func (r *rule) counter(rec *recorder) (count, of int64, ok bool) {
	switch r.Metric {
	case "dropped":
		return rec.dropped, rec.scheduled, true
	case "interrupted":
		return rec.interrupted, rec.all.started, true
	case "retries":
		return rec.retries, rec.all.started, true
	case "denied":
		return rec.denied, rec.all.started, true
	case "timeouts":
		return rec.timeouts, rec.all.finished, true
	case "panics":
		return rec.panics, rec.all.finished, true
	case "in_flight":
		return rec.maxInFlight, rec.all.started, true
	}
	return 0, 0, false
}

// of computes a metric of one tally, over a stretch of time.
func (r *rule) of(t *tally, elapsed time.Duration) (float64, error) {
	var x float64
	var err error
	switch r.Metric {
	case "count", "requests":
		x = float64(t.finished)
	case "rate":
		x = perSecond(t.finished, elapsed)
	case "goodput":
		x = perSecond(t.finished-t.errors, elapsed)
	case "errors":
		x, _, err = r.inUnit(t.errors, t.finished, elapsed)
	default:
		h := &t.response
		if r.Service {
			h = &t.service
		}
		x, _, err = r.time(h)
	}
	return x, err
}

func (r *rule) inUnit(count, of int64, elapsed time.Duration) (float64, int64, error) {
	switch r.Unit {
	case Percent:
		if of == 0 {
			return 0, 0, errNoSamples
		}
		return 100 * float64(count) / float64(of), of, nil
	case PerSecond:
		return perSecond(count, elapsed), of, nil
	}
	return float64(count), of, nil
}

func (r *rule) time(h *Histogram) (float64, int64, error) {
	if h.Count() == 0 {
		return 0, 0, errNoSamples
	}
	var d time.Duration
	switch r.Metric {
	case "avg":
		d = h.Mean()
	case "min":
		d = h.Min()
	case "max":
		d = h.Max()
	case "med":
		d = h.Percentile(50)
	default:
		d = h.Percentile(r.Percentile)
	}
	return d.Seconds(), h.Count(), nil
}

func (r *rule) checks(rec *recorder) (float64, int64, error) {
	var passed, of int64
	for name, c := range rec.checks {
		if r.Check == "" || r.Check == name {
			passed += c.passed
			of += c.of
		}
	}
	if r.Check != "" && rec.checks[r.Check] == nil {
		return 0, 0, unknown("check", r.Check, sortedKeys(rec.checks))
	}
	if of == 0 {
		return 0, 0, errNoSamples
	}
	return 100 * float64(passed) / float64(of), of, nil
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

func findTag(rec *recorder, name string) *tally {
	for _, t := range rec.tagOrder {
		if t.name == name {
			return t
		}
	}
	return nil
}

func tagNames(rec *recorder) (names []string) {
	for _, t := range rec.tagOrder {
		names = append(names, t.name)
	}
	return names
}
