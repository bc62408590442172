package record

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// The kinds of metrics, as result.MetricResult has them.
const (
	Counter = "counter" // adds
	Gauge   = "gauge"   // keeps the last, the least and the largest value
	Rate    = "rate"    // the share that is true
	Trend   = "trend"   // percentiles
)

// An Own is a metric of the scenario's own.
type Own struct {
	Name                string
	Kind                string
	Time                bool  // the values of a trend are seconds
	Samples, Passed     int64 // calls, and of a rate those with true
	Sum, Last, Min, Max float64
	At                  time.Duration // of the last value
	spread              sketch.Spread // of a trend
}

// A Value is one of a metric of the scenario's own.
type Value struct {
	Name, Kind string
	Time       bool    // of a trend: the value is in seconds
	X          float64 // of all but a rate
	OK         bool    // of a rate
}

// Measure counts a value that comes at an instant.
func (r *Recorder) Measure(v Value, at time.Duration) error {
	o, err := r.own(v.Name, v.Kind, v.Time)
	if err != nil {
		return err
	}
	if v.Kind == Rate {
		o.mark(v.OK)
	} else {
		o.add(v.X)
	}
	o.At = at
	return nil
}

// own returns the metric of a name. It makes one if there is none; beyond maxNames that is the one of
// "other". A name has one kind.
func (r *Recorder) own(name string, kind string, times bool) (*Own, error) {
	o, known := r.Own[name]
	if !known && len(r.Own) >= maxNames {
		name = other + " " + kind
		if times {
			name += " of times"
		}
		o, known = r.Own[name]
	}
	if !known {
		o = &Own{Name: name, Kind: kind, Time: times}
		r.Own[name] = o
	}
	if o.Kind != kind || o.Time != times {
		return nil, fmt.Errorf("metric %q is a %s, and cannot be a %s", name, spokenKind(o.Kind, o.Time), spokenKind(kind, times))
	}
	return o, nil
}

func spokenKind(kind string, times bool) string {
	if times {
		return kind + " of times"
	}
	return kind
}

// add takes a value.
func (o *Own) add(x float64) {
	if o.Samples == 0 {
		o.Min, o.Max = x, x
	}
	o.Samples++
	o.Sum += x
	o.Last, o.Min, o.Max = x, min(o.Min, x), max(o.Max, x)
	if o.Kind == Trend {
		o.spread.Add(x)
	}
}

// mark takes a value of a rate.
func (o *Own) mark(ok bool) {
	o.Samples++
	if ok {
		o.Passed++
	}
}

// Percentile returns the nearest-rank percentile of a trend, as result.Histogram has it.
func (o *Own) Percentile(p float64) float64 { return o.spread.Percentile(p) }

// ownResults are in the order of their names.
func ownResults(r *Recorder) (out []result.MetricResult) {
	for _, name := range text.SortedKeys(r.Own) {
		o := r.Own[name]
		m := result.MetricResult{Name: name, Kind: o.Kind, Time: o.Time, Samples: o.Samples, Passed: o.Passed}
		if o.Kind != Rate {
			m.Sum, m.Last, m.Min, m.Max = finite(o.Sum), o.Last, o.Min, o.Max
		}
		if o.Kind == Trend {
			m.P50, m.P90, m.P95, m.P99 = o.Percentile(50), o.Percentile(90), o.Percentile(95), o.Percentile(99)
		}
		out = append(out, m)
	}
	return out
}

// finite keeps a sum within what JSON can write.
func finite(x float64) float64 { return min(max(x, -math.MaxFloat64), math.MaxFloat64) }
