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
	u.measure("Count", record.Value{Name: name, Kind: record.Counter, X: n})
}

// Gauge sets a gauge. Thresholds compare its last, its least and its largest value.
func (u *User) Gauge(name string, value float64) {
	u.measure("Gauge", record.Value{Name: name, Kind: record.Gauge, X: value})
}

// Rate counts ok, and returns it. Thresholds compare the share that is true. A check is the same under
// another name: a statement about answers that should always hold.
func (u *User) Rate(name string, ok bool) bool {
	u.measure("Rate", record.Value{Name: name, Kind: record.Rate, OK: ok})
	return ok
}

// Trend takes one of many values. Thresholds compare the average, the least, the largest and percentiles.
func (u *User) Trend(name string, value float64) {
	u.measure("Trend", record.Value{Name: name, Kind: record.Trend, X: value})
}

// TrendTime is Trend for times, which are rounded to the microsecond. Thresholds compare them with
// durations.
func (u *User) TrendTime(name string, d time.Duration) {
	u.measure("TrendTime", record.Value{Name: name, Kind: record.Trend, Time: true, X: tb.Round(d).Seconds()})
}

// measure counts a value of a metric.
func (u *User) measure(method string, v record.Value) {
	if v.X-v.X != 0 {
		panic(fmt.Sprintf("load: %s(%q): %v is not a finite number", method, v.Name, v.X))
	}
	if err := (*u.run).measure(v); err != nil {
		panic(fmt.Sprintf("load: %s: %v", method, err))
	}
}
