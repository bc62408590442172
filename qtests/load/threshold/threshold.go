package threshold

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A Threshold is what a run must keep. Parse reads one from text, and
// String writes it. The zero value is not valid.
//
// If no request ended, a threshold on times, shares, rate, goodput, errors, timeouts, panics or checks is
// an error, even where zero would satisfy it. count, requests, dropped, interrupted, retries, denied and
// in_flight are then zero. A step, tag or check that did not come up by the end of the run is an error
// that proposes the nearest names, also for a threshold over windows.
//
// Requests that were interrupted have not ended, and are neither errors nor times. If there were any, the
// verdict of a threshold on requests that ended says how many it does not count (Verdict.Note).
//
// A scale (-qtests.scale, -short) changes how much load there is and not what is compared. If a threshold
// on rate, goodput, count, requests or in_flight is broken in a scaled run, the verdict says that the load
// was scaled (Verdict.Note). Thresholds on shares and times do not depend on the scale.
//
// The verdict of a threshold that aborted the run has the value that did so, and not the value at the end.
type Threshold struct {
	// At most one of Step, Tag ("key=value"), Check and Own limits the metric to a
	// part of the run. Step may name a part (User.Part) as well. Own names a metric of the scenario's own.
	Step, Tag, Check, Own string
	// Service measures the service time, from the start of a request to its end, and Late the time
	// from the due instant to the start, of requests that did not queue. Without them the response
	// time counts, from the due instant to the end.
	Service, Late bool
	// Metric is one of the names that Parse lists. With Own it may be empty: the count of a counter, the
	// last value of a gauge, the share of a rate.
	Metric string
	// Percentile is for the metric "p", from 0 to 100, read to six decimals.
	Percentile float64
	// Op is one of < <= > >= == !=.
	Op string
	// Value is in seconds for Seconds and in percent for Percent. It is finite, and not negative except
	// with Own. It is at most 100 percent, except for retries, because a request may have several, and
	// at most 24 hours, because a longer time is counted as that. A comparison that can never hold is an
	// error (<0, >100%), and so is one that always holds (>=0, <=100%, <=24h).
	Value float64
	Unit  Unit
	// Every divides the run into windows of that length, at least a millisecond. Every window has to
	// keep the threshold, and there has to be one at least. The first window begins at the start of the
	// run. A window includes its first instant and not its last. A request belongs to the window in
	// which it ends.
	//
	// A window in which no request ended has no times and no share, and is left out. Its counts and rates
	// are zero, and are judged as long as load arrives. For count, requests, rate and goodput the last
	// window is the last whole one before the arrivals ended.
	//
	// For all else there are windows until the last request has ended. A last window shorter than Every
	// that starts after the arrivals ended is merged into the one before it: times and shares are those
	// of both together, and of counts and rates, which belong to a length, the worse one counts. A drain
	// that takes longer than Every has windows of its own, and a rate in the last one is over the full
	// length of the window. An abort ends the windows, and what it cancels is in no window.
	//
	// If Every is longer than the profile, that is an error, and nothing runs.
	Every time.Duration
	// Abort ends the run when the threshold is broken, but not before AbortAfter has passed. A window
	// that is broken before then ends the run at that instant. The run looks once a second, by its
	// clock, whether or not requests end, and at windows that have ended. Requests under way are then
	// cancelled without a grace. As long as there are no samples, times and shares abort nothing. Counts
	// and rates are zero then: a lower bound, such as requests>=100, needs AbortAfter.
	Abort      bool
	AbortAfter time.Duration
}

// A Unit is the unit of a threshold's value.
type Unit int

// The units of thresholds.
const (
	Count     Unit = iota // a plain number
	Seconds               // a duration
	Percent               // a share
	PerSecond             // a rate
)

func (u Unit) String() string {
	names := [...]string{"a plain number", "a duration such as 250ms", "a share such as 1%", "a rate such as 100/s"}
	if u < 0 || int(u) >= len(names) {
		return fmt.Sprintf("Unit(%d)", int(u))
	}
	return names[u]
}

// A metric is what a threshold may name.
type metric struct {
	units  []Unit
	scopes string // letters: r the run, s a step, t a tag, c a check, w windows
	// flow says that the metric depends on how much load arrives, and so ends with the arrivals.
	flow bool
	// zero says that the metric is zero if nothing happened. Without it there is no value then.
	zero bool
	// requests says that only requests have the metric, and parts of requests do not.
	requests bool
}

var metrics = map[string]metric{
	"avg": {units: []Unit{Seconds}, scopes: "rstw"},
	"min": {units: []Unit{Seconds}, scopes: "rstw"},
	"max": {units: []Unit{Seconds}, scopes: "rstw"},
	"med": {units: []Unit{Seconds}, scopes: "rstw"},
	"p":   {units: []Unit{Seconds}, scopes: "rstw"},

	"count":    {units: []Unit{Count}, scopes: "rstw", flow: true, zero: true},
	"requests": {units: []Unit{Count}, scopes: "rstw", flow: true, zero: true},
	"rate":     {units: []Unit{PerSecond}, scopes: "rstw", flow: true},
	"goodput":  {units: []Unit{PerSecond}, scopes: "rstw", flow: true},
	"errors":   {units: []Unit{Percent, Count, PerSecond}, scopes: "rstw"},

	"timeouts":    {units: []Unit{Percent, Count, PerSecond}, scopes: "rstw", requests: true},
	"interrupted": {units: []Unit{Percent, Count}, scopes: "rstw", zero: true, requests: true},
	"retries":     {units: []Unit{Percent, Count, PerSecond}, scopes: "rsw", zero: true, requests: true},
	"denied":      {units: []Unit{Percent, Count}, scopes: "rsw", zero: true, requests: true},
	"dropped":     {units: []Unit{Percent, Count, PerSecond}, scopes: "rw", zero: true},
	"panics":      {units: []Unit{Count}, scopes: "rw"},
	"checks":      {units: []Unit{Percent}, scopes: "rcw"},
	"in_flight":   {units: []Unit{Count}, scopes: "r", zero: true},
}

// ownMetrics are the values of a metric of the scenario's own. Which of them a metric has, and in which
// unit, its kind decides, and that is known when the scenario has used it.
var ownMetrics = map[string]metric{
	"":      {units: []Unit{Count, Percent}, scopes: "m"},
	"count": {units: []Unit{Count}, scopes: "m"},
	"rate":  {units: []Unit{PerSecond}, scopes: "m"},
	"last":  {units: []Unit{Count}, scopes: "m"},
	"min":   {units: []Unit{Count, Seconds}, scopes: "m"},
	"max":   {units: []Unit{Count, Seconds}, scopes: "m"},
	"avg":   {units: []Unit{Count, Seconds}, scopes: "m"},
	"med":   {units: []Unit{Count, Seconds}, scopes: "m"},
	"p":     {units: []Unit{Count, Seconds}, scopes: "m"},
}

var ownValues = []string{"count", "rate", "last", "min", "max", "avg", "med", "p"}

// Parse reads a threshold:
//
//	[scope.][which.]metric op value [every DURATION] [abort [after DURATION]]
//
//	p(99)<250ms                 errors<1%             dropped==0
//	step(checkout).p(95)<=300ms tag(region=eu).rate>10/s check(body ok)>99%
//	p(99)<1s every 1m           errors<50% abort after 30s
//
// scope is step(name), tag(key=value) or check(name). which is service or late: service is for times from
// the start of a request to its end, late for the time from its due instant to its start, of requests that
// did not queue. Without which, times count from the due instant to the end.
//
//	metric                value     of                   by
//	avg min max med p(x)  250ms     times                step tag window
//	late.avg … late.p(x)  250ms     times                window
//	count, requests       100       ended                step tag window
//	rate                  100/s     ended                step tag window
//	goodput               100/s     ended without error  step tag window
//	errors                1% 0 1/s  ended                step tag window
//	timeouts              1% 0 1/s  ended                step tag window
//	interrupted           1% 0      started              step tag window
//	retries               1% 0 1/s  started              step window
//	denied                1% 0      started              step window
//	dropped               1% 0 1/s  due                  window
//	panics                0         ended                window
//	checks, check(name)   99%       checks made          window
//	in_flight             100       the most             the run only
//
// metric(name) is a metric of the scenario's own, over the run only:
//
//	metric(name)           100        User.Count: the sum       metric(name).rate   1/s
//	metric(name)           100        User.Gauge: the last      metric(name).last, min, max
//	metric(name)           99%        User.Rate: the share      metric(name).count  100
//	metric(name).p(95)     100 250ms  User.Trend, TrendTime     metric(name).avg, min, max, med, count
//
// Where there is more than one kind of value, the value is a share of the requests under "of", a count, or a
// rate per second of the run. denied are retries over the budget. Metrics are counted where a request ends,
// except for retries, denied, dropped, checks and late, which are counted where they happen. In windows,
// interrupted is a share of the requests that ended or were interrupted. Parts (User.Part) are steps without
// timeouts, interrupted, retries and denied.
//
// With every, each window has to keep the threshold. With abort, the run ends when the threshold is broken.
// Threshold says more about both, and when missing samples are an error.
//
// An unknown name is an error that proposes the nearest one, also for the names of other tools. A unit that
// does not fit is an error, and so is a comparison that always or never holds.
func Parse(text string) (Threshold, error) {
	p := thresholdParser{text: text, rest: strings.TrimSpace(text)}
	t, err := p.parse()
	if err != nil {
		return Threshold{}, fmt.Errorf("load: threshold %q: %w", text, err)
	}
	return t, nil
}

// minEvery bounds how many windows a run has.
const minEvery = time.Millisecond

// Validate reports what is wrong with the threshold.
func (t Threshold) Validate() error {
	m, ok := t.metric()
	switch {
	case !ok && t.Own != "":
		return text.Unknown("value of a metric of your own", t.Metric, ownValues)
	case !ok:
		return unknownMetric(t.Metric)
	case t.Metric == "p" && !(t.Percentile >= 0 && t.Percentile <= 100):
		return fmt.Errorf("percentile %v is not between 0 and 100", t.Percentile)
	case !slices.Contains(m.units, t.Unit):
		return fmt.Errorf("%s is %s, not %s%s", t.name(), joinUnits(m.units), t.Unit, t.unitHint(m))
	case !slices.Contains(ops, t.Op):
		return fmt.Errorf("operator %q is none of %s", t.Op, strings.Join(ops, " "))
	case (t.Service || t.Late) && !m.isTime():
		return fmt.Errorf("%s is no time, so service and late do not go with it", t.Metric)
	case t.Late && (t.Step != "" || t.Tag != "" || t.Service):
		return fmt.Errorf("late goes with the whole run and its windows only")
	}
	return cmp.Or(t.checkOptions(), t.checkScope(m), t.checkValue())
}

// metric is what the threshold names, if there is such a metric.
func (t Threshold) metric() (m metric, ok bool) {
	if t.Own != "" {
		m, ok = ownMetrics[t.Metric]
	} else {
		m, ok = metrics[t.Metric]
	}
	return m, ok
}

// checkOptions checks the durations.
func (t Threshold) checkOptions() error {
	switch {
	case t.Every < 0 || t.AbortAfter < 0:
		return fmt.Errorf("a duration is negative")
	case t.Every > 0 && t.Every < minEvery:
		return fmt.Errorf("every %v: want at least %v", t.Every, minEvery)
	case t.AbortAfter > 0 && !t.Abort:
		return fmt.Errorf("AbortAfter %v without Abort", t.AbortAfter)
	}
	return nil
}

// checkScope reports whether the metric is counted by what the threshold names.
func (t Threshold) checkScope(m metric) error {
	letter, scope, n := t.scope()
	switch {
	case n > 1:
		return fmt.Errorf("more than one of step, tag, check and metric")
	case t.Tag != "" && !strings.Contains(t.Tag, "="):
		return fmt.Errorf("tag(%s) is not like tag(key=value)", t.Tag)
	case !strings.Contains(m.scopes, letter):
		return fmt.Errorf("%s is not counted by %s", t.Metric, scope)
	case t.Every > 0 && !strings.Contains(m.scopes, "w"):
		return fmt.Errorf("%s is not kept by windows", t.Metric)
	}
	return nil
}

// scope is what the metric is limited to, with its letter, and how many such limits there are.
func (t Threshold) scope() (letter, name string, n int) {
	letter, name = "r", "run"
	for _, x := range []struct{ letter, name, given string }{{"s", "step", t.Step}, {"t", "tag", t.Tag}, {"c", "check", t.Check}, {"m", "metric", t.Own}} {
		if x.given != "" {
			letter, name, n = x.letter, x.name, n+1
		}
	}
	return letter, name, n
}

// fits returns an error if no window ends in a profile that lasts d. A scaled profile may be a little
// shorter because of rounding.
func (t Threshold) fits(d time.Duration) error {
	if t.Every > d+time.Microsecond {
		return fmt.Errorf("every %v: the profile lasts %v only, and no window would be over", t.Every, d)
	}
	return nil
}

func (m metric) isTime() bool { return m.units[0] == Seconds }

var ops = []string{"<=", ">=", "==", "!=", "<", ">"} // longer ones first, for the parser

// String returns the threshold as Parse reads it.
func (t Threshold) String() string {
	s := t.name() + t.Op + formatUnit(t.Value, t.Unit)
	if t.Every > 0 {
		s += " every " + t.Every.String()
	}
	if t.Abort {
		s += " abort"
		if t.AbortAfter > 0 {
			s += " after " + t.AbortAfter.String()
		}
	}
	return s
}

// name is the left side of the threshold.
func (t Threshold) name() string {
	s := ""
	switch {
	case t.Step != "":
		s = "step(" + t.Step + ")."
	case t.Tag != "":
		s = "tag(" + t.Tag + ")."
	case t.Check != "":
		return "check(" + t.Check + ")"
	case t.Own != "" && t.Metric == "":
		return "metric(" + t.Own + ")"
	case t.Own != "":
		s = "metric(" + t.Own + ")."
	}
	s += t.which()
	if t.Metric == "p" {
		return s + "p(" + text.Number(t.Percentile) + ")"
	}
	return s + t.Metric
}

// which is the kind of time that the metric counts, if it is not the response time.
func (t Threshold) which() string {
	switch {
	case t.Service:
		return "service."
	case t.Late:
		return "late."
	}
	return ""
}

func formatUnit(x float64, u Unit) string {
	switch u {
	case Seconds:
		return duration(x).String()
	case Percent:
		return text.Number(x) + "%"
	case PerSecond:
		return text.Number(x) + "/s"
	}
	return text.Number(x)
}

// duration converts seconds. A duration that was read from text is a whole number of nanoseconds, and is
// the same again.
func duration(seconds float64) time.Duration {
	d, err := time.ParseDuration(strconv.FormatFloat(seconds, 'f', 9, 64) + "s")
	if err != nil {
		return time.Duration(seconds * 1e9)
	}
	return d
}

// compare says whether the value keeps the threshold.
func (t Threshold) compare(x float64) bool {
	switch t.Op {
	case "<":
		return x < t.Value
	case "<=":
		return x <= t.Value
	case ">":
		return x > t.Value
	case ">=":
		return x >= t.Value
	case "==":
		return x == t.Value
	}
	return x != t.Value
}

func joinUnits(units []Unit) string {
	var s []string
	for _, u := range units {
		s = append(s, u.String())
	}
	return strings.Join(s, " or ")
}

// showUnit formats a measured value for people.
func showUnit(x float64, u Unit) string {
	switch u {
	case Seconds:
		return duration(x).String()
	case Percent:
		return fmt.Sprintf("%.4g%%", x)
	case PerSecond:
		return fmt.Sprintf("%.4g/s", x)
	}
	if x != math.Trunc(x) || math.Abs(x) >= 1<<53 { // a value of a metric of the scenario's own
		return text.Number(x)
	}
	return text.Grouped(int64(x))
}
