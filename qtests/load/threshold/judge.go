package threshold

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// A Judge compares what a recorder counts with the thresholds of a run. It is a plain
// value: the run locks it together with the recorder.
//
// Most thresholds need nothing of their own. They compare what the recorder counts anyway;
// in a window, the difference to what it had counted when the window began. So a window has
// to be closed, by Turn, before anything is counted that comes after it. Only thresholds on
// the times in a window look at every request.
type Judge struct {
	rec      *record.Recorder
	criteria []*criterion
	groups   []group       // the criteria of each threshold
	next     time.Duration // when the first window ends; never without one
	timed    []*criterion  // on the times of the requests in a window
	late     []*criterion  // on the lateness in a window
	length   time.Duration // of the profile
	until    time.Duration // when arrivals ended, at most length
	aborting bool          // a threshold may end the run
	aborted  bool          // a threshold has ended the run, and there are no more windows
	scale    string        // how the load differs from what the scenario says, if it does
	deferred bool          // this is a part of a run: windows are kept, and judged later
}

const never = time.Duration(math.MaxInt64)

// A group is a threshold of the scenario: conditions that all have to hold.
type group struct {
	text  string
	parts []*criterion
}

// A criterion is one condition, with what is kept for it while the run lasts.
type criterion struct {
	Threshold
	text string

	tally    *record.Tally // what the threshold is about, once it is known
	searched int           // how many names were searched for it
	over     bool          // the run has ended, and what is under way was abandoned
	fatal    string        // the value that aborted the run

	windows windows
	given   *ratio // what was counted up to now, where the recorder does not know it
}

// NewJudge returns a judge of thresholds, given as text and as values, over a run of length
// that rec records. The error names every threshold that is wrong.
func NewJudge(texts []string, limits []Threshold, length time.Duration, rec *record.Recorder) (*Judge, error) {
	j := &Judge{rec: rec, next: never, length: length, until: length}
	var errs []error
	for _, s := range texts {
		errs = append(errs, j.addText(s))
	}
	for i, t := range limits {
		errs = append(errs, j.addLimit(i, t))
	}
	return j, errors.Join(errs...)
}

// addText adds a threshold that is given as text.
func (j *Judge) addText(text string) error {
	all, err := ParseAll(text)
	if err != nil {
		return err
	}
	if err := all[0].fits(j.length); err != nil {
		return fmt.Errorf("load: threshold %q: %w", text, err)
	}
	j.add(text, all...)
	return nil
}

// addLimit adds the threshold that is value i.
func (j *Judge) addLimit(i int, t Threshold) error {
	if err := cmp.Or(t.Validate(), t.fits(j.length)); err != nil {
		return fmt.Errorf("load: Scenario.Limits[%d]: %w", i, err)
	}
	j.add(t.String(), t)
	return nil
}

// add adds a threshold of one or more conditions.
func (j *Judge) add(text string, conditions ...Threshold) {
	g := group{text: text}
	for _, t := range conditions {
		c := &criterion{Threshold: t, text: text, searched: -1}
		if len(conditions) > 1 {
			c.text = t.String() + " of " + text
		}
		g.parts = append(g.parts, c)
		j.watch(c)
	}
	j.groups = append(j.groups, g)
}

// watch makes the run look at a condition as often as it has to.
func (j *Judge) watch(c *criterion) {
	t := c.Threshold
	j.criteria = append(j.criteria, c)
	j.aborting = j.aborting || t.Abort
	if t.Every == 0 {
		return
	}
	c.windows.end = t.Every
	j.next = min(j.next, t.Every)
	switch {
	case t.Late:
		j.late = append(j.late, c)
	case metrics[t.Metric].isTime():
		j.timed = append(j.timed, c)
	}
}

// Aborts reports whether a threshold may end the run.
func (j *Judge) Aborts() bool { return j.aborting }

// HasWindows reports whether a threshold has windows that are still open.
func (j *Judge) HasWindows() bool { return j.next != never }

// Due reports whether a window has ended at now, so that Turn has to be called before
// anything else is counted.
func (j *Judge) Due(now time.Duration) bool { return now >= j.next }

// LooksAtTimes reports whether a threshold wants to see the times of every request.
func (j *Judge) LooksAtTimes() bool { return len(j.timed) > 0 }

// Scaled says that the load was multiplied by x, or that the run was shortened to the share x.
func (j *Judge) Scaled(x float64, shortened bool) { j.scale = Scaled(x, shortened) }

// Scaled says in words that a load was multiplied by x, or that a run was shortened to the share x. For 1 it
// says nothing.
func Scaled(x float64, shortened bool) string {
	switch {
	case x == 1:
		return ""
	case shortened:
		return "the run was scaled to " + text.Number(x) + " of its length"
	}
	return "the load was scaled by " + text.Number(x)
}

// Turn closes the windows that end at or before now.
//
//go:noinline
func (j *Judge) Turn(now time.Duration) {
	j.next = never
	for _, c := range j.criteria {
		if c.Every > 0 {
			c.pass(j, now)
			j.next = min(j.next, c.windows.end)
		}
	}
}

// pass is turn, or keep for a part of a run.
func (c *criterion) pass(j *Judge, now time.Duration) {
	if j.deferred {
		c.keep(j, now)
		return
	}
	c.turn(j, now)
}

// Stop says that nothing arrives any more.
func (j *Judge) Stop(now time.Duration) { j.until = min(j.until, now) }

// Ended shows the windows the times of a request that was counted.
//
//go:noinline
func (j *Judge) Ended(q *record.Request, e *record.Ending) {
	for _, c := range j.timed {
		t := c.find(j.rec)
		if t == nil || t != &j.rec.All && t != q.Step && !j.tagged(q, t) {
			continue
		}
		if c.Service {
			c.windows.times.Record(q.Service(e.At))
		} else {
			c.windows.times.Record(q.Response(e.At))
		}
	}
}

// tagged reports whether a request was counted under a tag.
func (j *Judge) tagged(q *record.Request, t *record.Tally) bool {
	for _, x := range q.Tags.All() {
		if j.rec.Tag(x) == t {
			return true
		}
	}
	return false
}

// PartEnded is Ended for a part of a request.
func (j *Judge) PartEnded(part *record.Tally, d time.Duration) {
	for _, c := range j.timed {
		if c.find(j.rec) == part {
			c.windows.times.Record(d)
		}
	}
}

// Started shows the windows how late a request started.
func (j *Judge) Started(late time.Duration) {
	for _, c := range j.late {
		c.windows.times.Record(late)
	}
}

// Look returns why the run has to end now, or nil. After an error there are no more windows.
func (j *Judge) Look(now time.Duration) error {
	if now >= j.next {
		j.Turn(now)
	}
	for _, c := range j.criteria {
		if !c.Abort || now < c.AbortAfter {
			continue
		}
		if why := c.breaks(j.rec, now); why != nil {
			j.abort(now)
			return why
		}
	}
	return nil
}

// breaks says how the threshold is broken at now, if it is.
func (c *criterion) breaks(rec *record.Recorder, now time.Duration) error {
	if c.Every > 0 {
		if c.windows.broken > 0 && c.isKnown(rec) {
			return fmt.Errorf("load: threshold %s broken in the window from %v", c.text, c.windows.first)
		}
		return nil
	}
	if x, _, err := c.value(rec, now); err == nil && !c.compare(x) {
		c.fatal = showUnit(x, c.Unit)
		return fmt.Errorf("load: threshold %s broken: %s at %v", c.text, c.fatal, now)
	}
	return nil
}

// verdict judges the whole run, or what it was when that aborted it.
func (c *criterion) verdict(v *result.Verdict, j *Judge, end time.Duration) error {
	if c.fatal != "" {
		v.Actual = c.fatal
		return nil
	}
	x, samples, err := c.value(j.rec, min(end, j.length))
	if err != nil {
		return err
	}
	v.Pass = c.compare(x)
	if v.Pass && samples == 0 && !metrics[c.Metric].zero {
		v.Pass = false
		return errNoSamples
	}
	v.Actual = showUnit(x, c.Unit)
	return nil
}
