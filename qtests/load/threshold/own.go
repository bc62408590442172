package threshold

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
)

// ofKind are the values that each kind has, the one without a name first.
var ofKind = map[string][]string{
	record.Counter: {"count", "rate"},
	record.Gauge:   {"last", "min", "max"},
	record.Rate:    {"share", "count"},
	record.Trend:   {"", "avg", "min", "max", "med", "p", "count"},
}

// own returns the value of a metric of the scenario's own, and of how many samples it is made.
func (c *criterion) own(rec *record.Recorder, elapsed time.Duration) (x float64, samples int64, err error) {
	o := rec.Own[c.Own]
	if o == nil {
		return 0, 0, text.Unknown("metric of your own", c.Own, text.SortedKeys(rec.Own))
	}
	values := ofKind[o.Kind]
	what := c.Metric
	if what == "" {
		what = values[0]
	}
	switch {
	case !slices.Contains(values, what) || what == "":
		return 0, 0, fmt.Errorf("metric(%s) is a %s; it has %s", c.Own, o.Kind, spoken(c.Own, values))
	case c.Unit != unitOf(o, what):
		return 0, 0, fmt.Errorf("%s of a %s is %s, not %s", c.name(), o.Kind, unitOf(o, what), c.Unit)
	case o.Kind == record.Counter && c.Op == ">=" && c.Value <= 0:
		return 0, 0, fmt.Errorf("%s%s%s always holds, and so can never fail: a counter is never below zero", c.name(), c.Op, formatUnit(c.Value, c.Unit))
	case o.Samples == 0:
		return 0, 0, errNoSamples
	}
	return c.ofOwn(o, what, elapsed), o.Samples, nil
}

func (c *criterion) ofOwn(o *record.Own, what string, elapsed time.Duration) float64 {
	switch what {
	case "share":
		return 100 * float64(o.Passed) / float64(o.Samples)
	case "count":
		if o.Kind == record.Counter {
			return o.Sum
		}
		return float64(o.Samples)
	case "rate":
		if elapsed <= 0 {
			return 0
		}
		return o.Sum / elapsed.Seconds()
	case "last":
		return o.Last
	case "min":
		return o.Min
	case "max":
		return o.Max
	case "avg":
		return meanOf(o)
	case "med":
		return o.Percentile(50)
	}
	return o.Percentile(c.Percentile)
}

func meanOf(o *record.Own) float64 {
	if o.Time { // to the microsecond, as the times themselves
		return math.Round(o.Sum*1e6/float64(o.Samples)) / 1e6
	}
	return o.Sum / float64(o.Samples)
}

// unitOf is the unit of a value.
func unitOf(o *record.Own, what string) Unit {
	switch {
	case what == "share":
		return Percent
	case what == "rate":
		return PerSecond
	case o.Time && what != "count":
		return Seconds
	}
	return Count
}

// spoken lists the values of a kind as a threshold writes them.
func spoken(name string, values []string) string {
	s := "metric(" + name + ")"
	if values[0] == "" {
		s = ""
	}
	for _, v := range values[1:] {
		if v == "p" {
			v = "p(x)"
		}
		if s != "" {
			s += ", "
		}
		s += "." + v
	}
	return s
}
