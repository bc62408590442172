package threshold

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// windows are what a threshold over windows keeps.
type windows struct {
	end   time.Duration    // of the present one
	base  ratio            // what was counted before it
	times result.Histogram // of the requests that ended in it
	summary

	// The window before the present one, which may have to be judged once more:
	// what was known and counted before it, and its times.
	before summary
	past   ratio
	last   result.Histogram

	kept []result.PartWindow // of a part of a run
}

// A summary is what is known of the windows that were judged.
type summary struct {
	judged, broken int
	worst          float64
	first          time.Duration // the start of the first broken one
	sampled        bool          // one of those judged had samples
	spans          []result.Span // of broken windows, those before the last
	span           result.Span   // the last of them
}

// maxSpans is how many spans of broken windows are kept.
const maxSpans = 100

// breaks notes broken windows. It changes nothing that an earlier copy of s has.
func (s *summary) breaks(from, to time.Duration) {
	switch {
	case s.span.To == from && s.broken > 0:
		s.span.To = to
		return
	case s.broken > 0 && len(s.spans) < maxSpans-1:
		s.spans = append(s.spans, s.span)
	case s.broken > 0:
		return
	}
	s.span = result.Span{From: from, To: to}
}

// allSpans are the spans of broken windows.
func (s *summary) allSpans() []result.Span {
	if s.broken == 0 {
		return nil
	}
	return append(slices.Clone(s.spans), s.span)
}

// turn closes the windows of a threshold that end at or before now. All but the first of
// them are empty, because nothing was counted since. The empty ones are judged together, so
// that a silence of any length costs nothing.
func (c *criterion) turn(j *Judge, now time.Duration) {
	w := &c.windows
	if now < w.end {
		return
	}
	c.close(j, true)
	if now < w.end {
		return
	}
	empty := count(now-w.end, c.Every)
	judged := 0
	if j.until >= w.end && !c.needsSamples() {
		judged = min(empty, count(j.until-w.end, c.Every))
	}
	if judged > 1 {
		c.judge(0, judged-1)
		w.end += time.Duration(judged-1) * c.Every
		empty, judged = empty-(judged-1), 1
	}
	w.before, w.past = w.summary, w.base
	w.last.Reset()
	if judged > 0 {
		c.judge(0, 1)
	}
	w.end += time.Duration(empty) * c.Every
}

// count returns how many windows of a length end within d of the end of the first one.
func count(d, every time.Duration) int { return int(d/every) + 1 }

// close judges the present window, if it has a value, and begins the next one. Only the
// last window of a run may be shorter than Every; it is not whole.
func (c *criterion) close(j *Judge, whole bool) {
	w := &c.windows
	w.before, w.past = w.summary, w.base
	if metrics[c.Metric].isTime() {
		c.closeTimes()
	} else {
		c.closeCounts(j, whole)
	}
	w.end += c.Every
}

func (c *criterion) closeTimes() {
	w := &c.windows
	if w.times.Count() > 0 {
		w.sampled = true
		c.judge(c.time(&w.times), 1)
	}
	w.times, w.last = w.last, w.times
	w.times.Reset()
}

func (c *criterion) closeCounts(j *Judge, whole bool) {
	w := &c.windows
	now := c.counts(j.rec)
	f := now.since(w.base)
	if x, ok := c.atEnd(f, whole, w.end <= j.until); ok {
		w.sampled = w.sampled || f.of > 0
		c.judge(x, 1)
	}
	w.base = now
}

// trails reports whether the present window, the last one of the run, starts after the
// arrivals ended, and the window before it did not. Such a window is shorter than Every, and
// is merged into the one before it.
func (c *criterion) trails(j *Judge) bool {
	start := c.windows.end - c.Every
	return start > 0 && start >= j.until && start-c.Every < j.until
}

// extend judges the window before the present one again, together with the present one.
// Counts and rates belong to a length, and are not added up: the worse of the two values
// counts.
func (c *criterion) extend(j *Judge) {
	w := &c.windows
	x, sampled := 0.0, true
	if metrics[c.Metric].isTime() {
		if w.times.Count() == 0 {
			return
		}
		w.times.Merge(&w.last)
		x = c.time(&w.times)
	} else {
		rest := c.counts(j.rec).since(w.base)
		if rest == (ratio{}) || metrics[c.Metric].flow {
			return
		}
		x, sampled = c.withLast(rest), w.sampled || rest.of > 0
	}
	w.summary = w.before
	w.sampled = sampled
	w.end -= c.Every
	c.judge(x, 1)
}

// withLast is the value of the window before the present one, together with what was counted in the present one.
func (c *criterion) withLast(rest ratio) float64 {
	w := &c.windows
	last := w.base.since(w.past)
	if c.Unit == Percent {
		rest.n, rest.of = rest.n+last.n, rest.of+last.of
	}
	x, _ := c.inUnit(rest, c.Every) // there is a value, because something was counted
	if y, _ := c.inUnit(last, c.Every); c.Unit != Percent && w.judged > w.before.judged && c.worse(y, x) {
		return y
	}
	return x
}

// atEnd returns the value of the present window, if it has one. loaded says that arrivals
// went on to its end.
func (c *criterion) atEnd(f ratio, whole, loaded bool) (x float64, ok bool) {
	nothing := f == ratio{}
	switch {
	case !(loaded && whole) && (nothing || metrics[c.Metric].flow):
		return 0, false // fewer arrivals mean fewer requests that end
	case !whole && c.Unit == PerSecond && c.windows.judged == 0:
		return 0, false // a part of a window tells no rate
	}
	// The last window counts as a whole one, because nothing comes after it.
	x, err := c.inUnit(f, c.Every)
	return x, err == nil
}

// judge compares the value x of n windows, the present one and those after it.
func (c *criterion) judge(x float64, n int) {
	w := &c.windows
	if !c.compare(x) {
		if w.broken == 0 {
			w.first = w.end - c.Every
		}
		w.breaks(w.end-c.Every, w.end+time.Duration(n-1)*c.Every)
		w.broken += n
	}
	if w.judged == 0 || c.worse(x, w.worst) {
		w.worst = x
	}
	w.judged += n
}

// worse reports whether x is a worse value of the threshold than y.
func (c *criterion) worse(x, y float64) bool {
	switch c.Op {
	case ">", ">=":
		return x < y
	case "==":
		return math.Abs(x-c.Value) > math.Abs(y-c.Value)
	case "!=":
		return math.Abs(x-c.Value) < math.Abs(y-c.Value)
	}
	return x > y
}

// needsSamples reports whether a window in which nothing happened has no value.
func (c *criterion) needsSamples() bool { return metrics[c.Metric].isTime() || c.Unit == Percent }

// finish judges the present window, the last one.
func (c *criterion) finish(j *Judge) {
	if c.trails(j) {
		c.extend(j)
	} else {
		c.close(j, false)
	}
}

// abort judges the windows of a run that is aborted at now, also the present one if it has
// begun. What ends later ends because it is cancelled, and is in no window.
func (j *Judge) abort(now time.Duration) {
	j.Stop(now)
	for _, c := range j.criteria {
		if c.Every == 0 {
			continue
		}
		c.turn(j, now)
		if now > c.windows.end-c.Every {
			c.close(j, false)
		}
	}
	j.aborted, j.next = true, never
}

// verdictOfWindows judges the windows that are still open, and sums up.
func (c *criterion) verdictOfWindows(v *result.Verdict, j *Judge, end time.Duration) error {
	if _, err := c.lookup(j.rec); err != nil {
		return err
	}
	w := &c.windows
	if !j.aborted {
		c.turn(j, end)
		c.finish(j)
	}
	m := metrics[c.Metric]
	switch {
	case w.judged == 0 && (m.flow || c.Unit == PerSecond):
		return fmt.Errorf("the run ended before its first window of %v was over", c.Every)
	case w.judged == 0, w.broken == 0 && !w.sampled && !m.zero:
		return errors.New("no window had any samples")
	}
	v.Windows, v.Broken, v.First = w.judged, w.broken, w.first
	v.Pass, v.Spans = w.broken == 0, w.allSpans()
	v.Actual = showUnit(w.worst, c.Unit)
	return nil
}
