package load

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Metrics of the scenario's own. A metric comes up when it is used first, has one kind, and is counted at
// the moment of the call, in every attempt of a request. From the 101st name of a run on, metrics are
// counted as "other counter", "other gauge" and so on. Values are finite. A name with another kind than
// before, and a value that is not finite, panic, which fails the test. Results and reports show all
// metrics, and thresholds are like "metric(orders)>=100"; see threshold.Parse.

// Count adds n, which is not negative, to a counter. A first Count of 0 makes a counter known that may
// stay at zero.
func (u *User) Count(name string, n float64) {
	if n < 0 {
		panic(fmt.Sprintf("load: Count(%q): %v is negative: use Gauge", name, n))
	}
	u.run.measure("Count", name, record.Counter, false, n)
}

// Gauge sets a gauge. Thresholds compare its last, its least and its largest value.
func (u *User) Gauge(name string, value float64) {
	u.run.measure("Gauge", name, record.Gauge, false, value)
}

// Rate counts ok, and returns it. Thresholds compare the share that is true. A check is the same under
// another name: a statement about answers that should always hold.
func (u *User) Rate(name string, ok bool) bool {
	u.run.measureWith("Rate", name, record.Rate, false, func(o *record.Own) { o.Mark(ok) })
	return ok
}

// Trend takes one of many values. Thresholds compare the average, the least, the largest and percentiles.
func (u *User) Trend(name string, value float64) {
	u.run.measure("Trend", name, record.Trend, false, value)
}

// TrendTime is Trend for times, which are rounded to the microsecond. Thresholds compare them with
// durations.
func (u *User) TrendTime(name string, d time.Duration) {
	u.run.measure("TrendTime", name, record.Trend, true, tb.Round(d).Seconds())
}

// measure counts a value of a metric.
func (r *run) measure(method, name string, kind string, time bool, x float64) {
	if x-x != 0 {
		panic(fmt.Sprintf("load: %s(%q): %v is not a finite number", method, name, x))
	}
	r.measureWith(method, name, kind, time, func(o *record.Own) { o.Add(x) })
}

// measureWith counts by add, which is called with the lock.
func (r *run) measureWith(method, name string, kind string, time bool, add func(*record.Own)) {
	if err := r.measured(name, kind, time, add); err != nil {
		panic(fmt.Sprintf("load: %s: %v", method, err))
	}
}

func (r *run) measured(name string, kind string, time bool, add func(*record.Own)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.phase.now == closed {
		return nil
	}
	o, err := r.mu.rec.Measure(name, kind, time)
	if err == nil {
		add(o)
		o.At = r.offset()
	}
	return err
}
