package load

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// windows are what a threshold over windows keeps.
type windows struct {
	end   time.Duration // of the present one
	base  figures       // what was counted before it
	times Histogram     // of the requests that ended in it
	summary

	// The window before the present one, which may have to be judged once more:
	// what was known and counted before it, and its times.
	before summary
	past   figures
	last   Histogram
}

// A summary is what is known of the windows that were judged.
type summary struct {
	judged, broken int
	worst          float64
	first          time.Duration // the start of the first broken one
	sampled        bool          // one of those judged had samples
}

// turn closes the windows of a threshold that end at or before now. All but the
// first of them are empty, as nothing was counted since; those are judged
// together, so that a silence of any length costs nothing.
func (r *rule) turn(rs *rules, now time.Duration) {
	w := &r.windows
	if now < w.end {
		return
	}
	r.close(rs, true)
	if now < w.end {
		return
	}
	empty := (now-w.end)/r.Every + 1
	judged := 0
	if rs.until >= w.end && !r.needsSamples() {
		judged = int(min(empty, (rs.until-w.end)/r.Every+1))
	}
	if judged > 1 {
		r.judge(0, judged-1)
	}
	w.before, w.past = w.summary, w.base
	w.last.reset()
	if judged > 0 {
		r.judge(0, 1)
	}
	w.end += empty * r.Every
}

// close judges the present window, if it has a value, and begins the next one. A
// window that is not whole is the last of the run.
func (r *rule) close(rs *rules, whole bool) {
	w := &r.windows
	w.before, w.past = w.summary, w.base
	if metrics[r.Metric].isTime() {
		if w.times.Count() > 0 {
			w.sampled = true
			r.judge(r.time(&w.times), 1)
		}
		w.times, w.last = w.last, w.times
		w.times.reset()
		w.end += r.Every
		return
	}
	now := r.figures(rs.rec)
	f := figures{now.n - w.base.n, now.of - w.base.of}
	if x, ok := r.closing(f, whole, w.end <= rs.until); ok {
		w.sampled = w.sampled || f.of > 0
		r.judge(x, 1)
	}
	w.base = now
	w.end += r.Every
}

// trails reports whether the present window, the last of the run, begins after the
// arrivals ended, and the one before it did not. It is less than a whole one, of
// which nobody would say that it is one, and belongs to that before it.
func (r *rule) trails(rs *rules) bool {
	start := r.windows.end - r.Every
	return start > 0 && start >= rs.until && start-r.Every < rs.until
}

// extend judges the window before the present one again, together with the
// present one. Counts are not added up, nor are rates: they are of a length, and the
// worse one of the two stands.
func (r *rule) extend(rs *rules) {
	w := &r.windows
	known := w.summary
	var x float64
	if metrics[r.Metric].isTime() {
		if w.times.Count() == 0 {
			return
		}
		w.times.Merge(&w.last)
		x, known.sampled = r.time(&w.times), true
	} else {
		now := r.figures(rs.rec)
		rest, last := figures{now.n - w.base.n, now.of - w.base.of}, figures{w.base.n - w.past.n, w.base.of - w.past.of}
		if rest == (figures{}) || metrics[r.Metric].flow {
			return
		}
		known.sampled = known.sampled || rest.of > 0
		if r.Unit == Percent {
			rest.n, rest.of = rest.n+last.n, rest.of+last.of
		}
		x, _ = r.inUnit(rest, r.Every) // there is one, as there is something
		if y, _ := r.inUnit(last, r.Every); r.Unit != Percent && known.judged > w.before.judged && r.worse(y, x) {
			x = y
		}
	}
	w.summary = w.before
	w.sampled = known.sampled
	w.end -= r.Every
	r.judge(x, 1)
}

// closing returns the value of the present window. In one that is not loaded to
// its end, arrivals ended before it did.
func (r *rule) closing(f figures, whole, loaded bool) (x float64, ok bool) {
	nothing := f == figures{}
	switch {
	case !(loaded && whole) && (nothing || metrics[r.Metric].flow):
		return 0, false // less comes out when less goes in
	case !whole && r.Unit == PerSecond && r.windows.judged == 0:
		return 0, false // from less than one window, a rate is any number
	}
	// What the last window holds counts as a whole window's: nothing comes after.
	x, err := r.inUnit(f, r.Every)
	return x, err == nil
}

// judge compares the value of the present window and of the ones after it, n in
// all.
func (r *rule) judge(x float64, n int) {
	w := &r.windows
	if !r.compare(x) {
		if w.broken == 0 {
			w.first = w.end - r.Every
		}
		w.broken += n
	}
	if w.judged == 0 || r.worse(x, w.worst) {
		w.worst = x
	}
	w.judged += n
}

// worse reports whether x is a worse value of the threshold than y.
func (r *rule) worse(x, y float64) bool {
	switch r.Op {
	case ">", ">=":
		return x < y
	case "==":
		return math.Abs(x-r.Value) > math.Abs(y-r.Value)
	case "!=":
		return math.Abs(x-r.Value) < math.Abs(y-r.Value)
	}
	return x > y
}

// needsSamples reports whether a window in which nothing happened has no value.
func (r *rule) needsSamples() bool { return metrics[r.Metric].isTime() || r.Unit == Percent }

// finish judges the present window, the last one.
func (r *rule) finish(rs *rules) {
	if r.trails(rs) {
		r.extend(rs)
	} else {
		r.close(rs, false)
	}
}

// abort judges what there is of the windows when the run is aborted at now, the
// present one if it has begun: what ends later, ends because it is cancelled.
func (rs *rules) abort(now time.Duration) {
	rs.stop(now)
	for _, r := range rs.rules {
		if r.Every == 0 {
			continue
		}
		r.turn(rs, now)
		if now > r.windows.end-r.Every {
			r.close(rs, false)
		}
	}
	rs.aborted, rs.next = true, never
}

// verdictOfWindows judges the windows that are still open, and sums up.
func (r *rule) verdictOfWindows(v *Verdict, rs *rules, end time.Duration) error {
	if _, err := r.lookup(rs.rec); err != nil {
		return err
	}
	w := &r.windows
	if !rs.aborted {
		r.turn(rs, end)
		r.finish(rs)
	}
	m := metrics[r.Metric]
	switch {
	case w.judged == 0 && (m.flow || r.Unit == PerSecond):
		return fmt.Errorf("the run ended before its first window of %v was over", r.Every)
	case w.judged == 0, w.broken == 0 && !w.sampled && !m.zero:
		return errors.New("no window had any samples")
	}
	v.Windows, v.Broken, v.First = w.judged, w.broken, w.first
	v.Pass = w.broken == 0
	v.Actual = showUnit(w.worst, r.Unit)
	return nil
}
