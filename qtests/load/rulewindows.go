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
	if rs.until >= w.end && !r.needsSamples() {
		r.judge(0, int(min(empty, (rs.until-w.end)/r.Every+1)))
	}
	w.end += empty * r.Every
}

// close judges the present window, if it has a value, and begins the next one. A
// window that is not whole is the last of the run.
func (r *rule) close(rs *rules, whole bool) {
	w := &r.windows
	if metrics[r.Metric].isTime() {
		if w.times.Count() > 0 {
			w.sampled = true
			r.judge(r.time(&w.times), 1)
			w.times.reset()
		}
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

// verdictOfWindows judges the windows that are still open, and sums up.
func (r *rule) verdictOfWindows(v *Verdict, rs *rules, end time.Duration) error {
	if _, err := r.lookup(rs.rec); err != nil {
		return err
	}
	w := &r.windows
	r.turn(rs, end)
	r.close(rs, false)
	m := metrics[r.Metric]
	switch {
	case w.judged == 0 && (m.flow || r.Unit == PerSecond):
		return fmt.Errorf("no window of %v fits into the run", r.Every)
	case w.judged == 0, w.broken == 0 && !w.sampled && !m.zero:
		return errors.New("no window had any samples")
	}
	v.Windows, v.Broken, v.First = w.judged, w.broken, w.first
	v.Pass = w.broken == 0
	v.Actual = showUnit(w.worst, r.Unit)
	return nil
}
