package load

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// figures are what the value of a threshold on counts is made of: n of so many.
type figures struct{ n, of int64 }

// find returns what the threshold is about, or nil as long as there is none: tags
// and parts come up during the run.
func (r *rule) find(rec *recorder) *tally {
	if names := len(rec.stepOrder) + len(rec.tagOrder); r.tally == nil && r.searched != names {
		r.searched = names
		switch {
		case r.Step != "":
			r.tally = rec.steps[r.Step]
		case r.Tag != "":
			r.tally = findTag(rec, r.Tag)
		default:
			r.tally = &rec.all
		}
	}
	return r.tally
}

// lookup is find with the reason why there is none.
func (r *rule) lookup(rec *recorder) (*tally, error) {
	t := r.find(rec)
	switch {
	case t == nil && r.Step != "":
		return nil, text.Unknown("step", r.Step, text.SortedKeys(rec.steps))
	case t == nil:
		return nil, text.Unknown("tag", r.Tag, tagNames(rec))
	case t.part && metrics[r.Metric].requests:
		return nil, fmt.Errorf("%s is not counted of %q, which is a part of a request", r.Metric, t.name)
	case r.Check != "" && rec.checks[r.Check] == nil:
		return nil, text.Unknown("check", r.Check, text.SortedKeys(rec.checks))
	}
	return t, nil
}

func (r *rule) isKnown(rec *recorder) bool {
	_, err := r.lookup(rec)
	return err == nil
}

// value computes the metric over the run, and from how many samples.
func (r *rule) value(rec *recorder, elapsed time.Duration) (x float64, samples int64, err error) {
	t, err := r.lookup(rec)
	if err != nil {
		return 0, 0, err
	}
	if !metrics[r.Metric].isTime() {
		f := r.figures(rec)
		x, err = r.inUnit(f, elapsed)
		return x, f.of, err
	}
	h := &t.response
	switch {
	case r.Late:
		h = &rec.late
	case r.Service:
		h = &t.service
	}
	if h.Count() == 0 {
		return 0, 0, errNoSamples
	}
	return r.time(h), h.Count(), nil
}

// figures returns what was counted up to now. Of what is not known yet, nothing
// was.
func (r *rule) figures(rec *recorder) figures {
	t := r.find(rec)
	if t == nil {
		return figures{}
	}
	switch r.Metric {
	case "goodput":
		return figures{t.finished - t.errors, t.finished}
	case "errors":
		return figures{t.errors, t.finished}
	case "checks":
		return r.checked(rec)
	case "dropped":
		return figures{rec.dropped, rec.scheduled}
	case "panics":
		return figures{rec.panics, t.finished}
	case "in_flight":
		return figures{rec.maxInFlight, t.started}
	case "interrupted":
		n := r.interrupted(rec, t)
		return figures{n, t.finished + n}
	case "timeouts":
		return figures{ofTally(rec, t, rec.timeouts, t.timeouts), t.finished}
	case "retries":
		return figures{ofTally(rec, t, rec.retries, t.retries), t.started}
	case "denied":
		return figures{ofTally(rec, t, rec.denied, t.denied), t.started}
	}
	return figures{t.finished, t.finished} // count, requests, rate
}

// ofTally chooses between a count of the run and one of a step or tag.
func ofTally(rec *recorder, t *tally, all, own int64) int64 {
	if t == &rec.all {
		return all
	}
	return own
}

// interrupted includes, at the end, the requests that ignored that they were
// cancelled. A tag does not know of them: it is counted when a request ends.
func (r *rule) interrupted(rec *recorder, t *tally) int64 {
	if r.over && r.Tag == "" {
		return t.started - t.finished
	}
	return ofTally(rec, t, rec.interrupted, t.interrupted)
}

// time is a metric of times, of which there is one at least.
func (r *rule) time(h *Histogram) float64 {
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
	return d.Seconds()
}

// checked is how many checks passed, and of how many.
func (r *rule) checked(rec *recorder) (f figures) {
	for name, c := range rec.checks {
		if r.Check == "" || r.Check == name {
			f.n += c.passed
			f.of += c.of
		}
	}
	return f
}

// inUnit is a count as the threshold's unit wants it.
func (r *rule) inUnit(f figures, elapsed time.Duration) (float64, error) {
	switch r.Unit {
	case Percent:
		switch {
		case f == figures{}:
			return 0, errNoSamples
		case f.of == 0:
			return 100, nil // such as retries in a window in which nothing started
		}
		return 100 * float64(f.n) / float64(f.of), nil
	case PerSecond:
		return perSecond(f.n, elapsed), nil
	}
	return float64(f.n), nil
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
