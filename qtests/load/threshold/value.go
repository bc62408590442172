package threshold

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// errNoSamples is the error of a threshold on what nothing is known of.
var errNoSamples = errors.New("there are no samples")

// A ratio is n of so many: the value of a threshold on counts is made of it.
type ratio struct{ n, of int64 }

// since is what was counted after an earlier look.
func (f ratio) since(before ratio) ratio { return ratio{f.n - before.n, f.of - before.of} }

// find returns what the threshold is about, or nil as long as it is not known: tags and parts come up
// during the run.
func (c *criterion) find(rec *record.Recorder) *record.Tally {
	if names := len(rec.StepOrder) + len(rec.TagOrder); c.tally == nil && c.searched != names {
		c.searched = names
		switch {
		case c.Step != "":
			c.tally = rec.Steps[c.Step]
		case c.Tag != "":
			c.tally = findTag(rec, c.Tag)
		default:
			c.tally = &rec.All
		}
	}
	return c.tally
}

// lookup is find with an error that says why there is nothing.
func (c *criterion) lookup(rec *record.Recorder) (*record.Tally, error) {
	t := c.find(rec)
	switch {
	case t == nil && c.Step != "":
		return nil, text.Unknown("step", c.Step, text.SortedKeys(rec.Steps))
	case t == nil:
		return nil, text.Unknown("tag", c.Tag, tagNames(rec))
	case t.Part && metrics[c.Metric].requests:
		return nil, fmt.Errorf("%s is not counted of %q, which is a part of a request", c.Metric, t.Name)
	case c.Check != "" && rec.Checks[c.Check] == nil:
		return nil, text.Unknown("check", c.Check, text.SortedKeys(rec.Checks))
	}
	return t, nil
}

func (c *criterion) isKnown(rec *record.Recorder) bool {
	_, err := c.lookup(rec)
	return err == nil
}

// value returns the metric over the run, and the number of samples that it is made of.
func (c *criterion) value(rec *record.Recorder, elapsed time.Duration) (x float64, samples int64, err error) {
	if c.Own != "" {
		return c.own(rec, elapsed)
	}
	t, err := c.lookup(rec)
	if err != nil {
		return 0, 0, err
	}
	if !metrics[c.Metric].isTime() {
		f := c.counts(rec)
		x, err = c.inUnit(f, elapsed)
		return x, f.of, err
	}
	h := c.histogram(rec, t)
	if h.Count() == 0 {
		return 0, 0, errNoSamples
	}
	return c.time(h), h.Count(), nil
}

// histogram returns the times that the threshold is on.
func (c *criterion) histogram(rec *record.Recorder, t *record.Tally) *result.Histogram {
	switch {
	case c.Late:
		return &rec.Late
	case c.Service:
		return &t.Service
	}
	return &t.Response
}

// counts returns what was counted up to now. A step or a tag that is not known yet counts
// nothing.
func (c *criterion) counts(rec *record.Recorder) ratio {
	if c.given != nil {
		return *c.given
	}
	t := c.find(rec)
	if t == nil {
		return ratio{}
	}
	return c.counted(rec, t)
}

// counted is what the metric counts of a tally.
func (c *criterion) counted(rec *record.Recorder, t *record.Tally) ratio {
	switch c.Metric {
	case "goodput":
		return ratio{t.Finished - t.Errors, t.Finished}
	case "errors":
		return ratio{t.Errors, t.Finished}
	case "checks":
		return c.checked(rec)
	case "dropped":
		return ratio{rec.Dropped, rec.Scheduled}
	case "panics":
		return ratio{rec.Panics, t.Finished}
	case "in_flight":
		return ratio{rec.MaxInFlight, t.Started}
	case "interrupted":
		n := c.interrupted(rec, t)
		return ratio{n, t.Finished + n}
	case "timeouts":
		return ratio{ofTally(rec, t, rec.Timeouts, t.Timeouts), t.Finished}
	case "retries":
		return ratio{ofTally(rec, t, rec.Retries, t.Retries), t.Started}
	case "denied":
		return ratio{ofTally(rec, t, rec.Denied, t.Denied), t.Started}
	}
	return ratio{t.Finished, t.Finished} // count, requests, rate
}

// ofTally chooses between a count of the run and one of a step or tag.
func ofTally(rec *record.Recorder, t *record.Tally, all, own int64) int64 {
	if t == &rec.All {
		return all
	}
	return own
}

// interrupted includes, at the end, the requests that ignored that they were cancelled. The count of a tag
// does not have them, because tags are counted when a request ends.
func (c *criterion) interrupted(rec *record.Recorder, t *record.Tally) int64 {
	if c.over && c.Tag == "" {
		return t.Started - t.Finished
	}
	return ofTally(rec, t, rec.Interrupted, t.Interrupted)
}

// time returns a metric of times. There is one time at least.
func (c *criterion) time(h *result.Histogram) float64 {
	var d time.Duration
	switch c.Metric {
	case "avg":
		d = h.Mean()
	case "min":
		d = h.Min()
	case "max":
		d = h.Max()
	case "med":
		d = h.Percentile(50)
	default:
		d = h.Percentile(c.Percentile)
	}
	return d.Seconds()
}

// checked returns how many checks passed, of how many.
func (c *criterion) checked(rec *record.Recorder) (f ratio) {
	for name, t := range rec.Checks {
		if c.Check == "" || c.Check == name {
			f.n += t.Passed
			f.of += t.Of
		}
	}
	return f
}

// inUnit returns a ratio in the unit of the threshold.
func (c *criterion) inUnit(f ratio, elapsed time.Duration) (float64, error) {
	switch c.Unit {
	case Percent:
		return f.percent()
	case PerSecond:
		return result.RateOf(f.n, elapsed), nil
	}
	return float64(f.n), nil
}

func (f ratio) percent() (float64, error) {
	switch {
	case f == ratio{}:
		return 0, errNoSamples
	case f.of == 0:
		return 100, nil // retries in a window in which nothing started, for example
	}
	return 100 * float64(f.n) / float64(f.of), nil
}

func findTag(rec *record.Recorder, name string) *record.Tally {
	for _, t := range rec.TagOrder {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func tagNames(rec *record.Recorder) (names []string) {
	for _, t := range rec.TagOrder {
		names = append(names, t.Name)
	}
	return names
}
