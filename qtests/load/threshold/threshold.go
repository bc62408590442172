package threshold

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A Threshold is what a run must keep. ParseThreshold reads one from text, and
// String writes it. The zero value is not valid.
//
// Whoever asks about requests that ended has to wait for one: times, shares, rate,
// goodput, errors, timeouts, panics and checks have no samples when nothing ended,
// and a threshold that zero would keep is then an error and not kept.
// count, requests, dropped, interrupted, retries, denied and in_flight count what
// did or did not happen; of nothing they are zero. A step, tag or check that did not come
// up by the end of the run is an error that proposes the nearest ones, with
// windows too.
//
// A scale (-qtests.scale, -short) changes how much load there is and not what is
// compared. Where that breaks a threshold on rate, goodput, count, requests or
// in_flight, the verdict says that the load was scaled (Verdict.Note); shares
// and times are worth more then.
//
// The verdict of a threshold that aborted the run has the value that did so, and not
// that at the end.
type Threshold struct {
	// At most one of Step, Tag ("key=value") and Check limits the metric to a
	// part of the run. Step may name a part (User.Part) as well.
	Step, Tag, Check string
	// Service measures from the start of a request and Late from the due instant to the start,
	// of requests that did not queue;
	// otherwise response time counts, from the due instant to the end.
	Service, Late bool
	// Metric is one of the names that ParseThreshold lists.
	Metric string
	// Percentile is that of the metric "p", from 0 to 100, read to six decimals.
	Percentile float64
	// Op is one of < <= > >= == !=.
	Op string
	// Value is in seconds for Seconds, in percent for Percent. It is finite, not
	// negative, and at most 100 percent, except for retries, of which a request
	// may have several. A comparison that can never hold is an error: <0, >100%.
	Value float64
	Unit  Unit
	// Every, if set, wants the threshold kept by every window of that length, at least a
	// millisecond, and by no less than one. Windows begin at the start of the
	// run and include their first instant but not their last; a request belongs
	// to the one in which it ends.
	//
	// A window in which nothing ended has no times and no share, and is passed
	// over. Its counts and rates are zero and count, while load arrives. Windows of
	// count, requests, rate and goodput end with the arrivals, as do these; one
	// that is cut off there is left out.
	//
	// Everything else is looked at until the last request has ended. What comes less
	// than Every after the last window in which load arrived is no window of its
	// own but belongs to that one: its times and shares are then of all of it, and
	// of counts and rates, which are of a length, the worse of the two parts stands.
	// A drain that takes longer has windows of its own; a rate of the last one is
	// that over its full length. An abort ends the windows, and what it cancels is in
	// none.
	//
	// Every is at most the length of the profile: a longer one is an error, and
	// nothing runs.
	Every time.Duration
	// Abort ends the run when the threshold is broken, but not before AbortAfter
	// has passed; a window that broke before then ends it at that instant. The run
	// looks once a second, by its clock, whether or not requests end, and at
	// windows when they are over. Requests under way are then cancelled without
	// a grace. Until there are samples, times and shares abort nothing, but counts and
	// rates are zero: lower bounds, such as requests>=100, need AbortAfter.
	Abort      bool
	AbortAfter time.Duration
}

// A Unit is that of a threshold's value.
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
	// flow is what comes out as load goes in, and so ends with the load.
	flow bool
	// zero says that of nothing it is zero; otherwise that has no value.
	zero bool
	// requests is what parts of requests do not have.
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

// Parse reads a threshold:
//
//	[scope.][which.]metric op value [every DURATION] [abort [after DURATION]]
//
//	p(99)<250ms                 errors<1%             dropped==0
//	step(checkout).p(95)<=300ms tag(region=eu).rate>10/s check(body ok)>99%
//	p(99)<1s every 1m           errors<50% abort after 30s
//
// scope is step(name), tag(key=value) or check(name). which is service, for times
// from the start of a request, or late, for the time from its due instant to its start,
// of requests that did not queue;
// without it, times count from the due instant to the end.
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
// A value with more than one unit is a share of the requests under "of", a count, or
// a rate per second of the run. denied are retries over the budget. What a request
// has counts where it ends, except for retries, denied, dropped, checks and late, which
// count where they happen. By window, interrupted is a share of those that ended either
// way. Parts (User.Part) are steps without timeouts, interrupted, retries and denied.
//
// every wants the threshold kept by each window, and abort ends the run when it
// is not; see Threshold, also for what is an error for want of samples.
//
// An unknown name is an error that proposes the nearest one, and so is a unit
// that does not fit.
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
	m, ok := metrics[t.Metric]
	switch {
	case !ok:
		return unknownMetric(t.Metric)
	case t.Metric == "p" && !(t.Percentile >= 0 && t.Percentile <= 100):
		return fmt.Errorf("percentile %v is not between 0 and 100", t.Percentile)
	case !slices.Contains(m.units, t.Unit):
		return fmt.Errorf("%s is %s, not %s", t.name(), joinUnits(m.units), t.Unit)
	case !slices.Contains(ops, t.Op):
		return fmt.Errorf("operator %q is none of %s", t.Op, strings.Join(ops, " "))
	case t.Every < 0 || t.AbortAfter < 0:
		return fmt.Errorf("a duration is negative")
	case t.Every > 0 && t.Every < minEvery:
		return fmt.Errorf("every %v: want at least %v", t.Every, minEvery)
	case t.AbortAfter > 0 && !t.Abort:
		return fmt.Errorf("AbortAfter %v without Abort", t.AbortAfter)
	case (t.Service || t.Late) && !m.isTime():
		return fmt.Errorf("%s is no time, so service and late do not go with it", t.Metric)
	case t.Late && (t.Step != "" || t.Tag != "" || t.Service):
		return fmt.Errorf("late goes with the whole run and its windows only")
	}
	if err := t.checkScope(m); err != nil {
		return err
	}
	return t.checkValue()
}

// checkScope reports whether the metric is counted by what the threshold names.
func (t Threshold) checkScope(m metric) error {
	scope, by := "r", "run"
	for _, x := range []struct{ letter, name, given string }{{"s", "step", t.Step}, {"t", "tag", t.Tag}, {"c", "check", t.Check}} {
		if x.given == "" {
			continue
		}
		if scope != "r" {
			return fmt.Errorf("more than one of step, tag and check")
		}
		scope, by = x.letter, x.name
	}
	switch {
	case t.Tag != "" && !strings.Contains(t.Tag, "="):
		return fmt.Errorf("tag(%s) is not like tag(key=value)", t.Tag)
	case !strings.Contains(m.scopes, scope):
		return fmt.Errorf("%s is not counted by %s", t.Metric, by)
	case t.Every > 0 && !strings.Contains(m.scopes, "w"):
		return fmt.Errorf("%s is not kept by windows", t.Metric)
	}
	return nil
}

// checkValue reports whether the comparison can both hold and fail, as far as the
// value itself tells.
func (t Threshold) checkValue() error {
	top := math.Inf(1)
	if t.Unit == Percent && t.Metric != "retries" {
		top = 100
	}
	value := formatUnit(t.Value, t.Unit)
	switch {
	case t.Value-t.Value != 0:
		return fmt.Errorf("value %v is not a finite number", t.Value)
	case t.Value < 0:
		return fmt.Errorf("value %s: %s is never below zero", value, t.name())
	case t.Value > top:
		return fmt.Errorf("value %s: %s is never over 100%%", value, t.name())
	case t.Unit == Count && t.Value != math.Trunc(t.Value):
		return t.fraction(value)
	case t.Op == "<" && t.Value == 0, t.Op == ">" && t.Value == top:
		return fmt.Errorf("%s%s%s can never hold", t.name(), t.Op, value)
	}
	return nil
}

// fraction is the error of a count that is no whole number: below 1 it is surely
// meant as a share.
func (t Threshold) fraction(value string) error {
	if t.Value < 1 && slices.Contains(metrics[t.Metric].units, Percent) {
		share := strconv.FormatFloat(100*t.Value, 'g', 12, 64)
		return fmt.Errorf("value %s: a plain number is a count; did you mean %q, which is a share?", value, t.name()+t.Op+share+"%")
	}
	return fmt.Errorf("value %s: %s is a whole number", value, t.name())
}

// fits reports whether a window is over in a profile that lasts d. A scaled one may
// be shorter by what was rounded.
func (t Threshold) fits(d time.Duration) error {
	if t.Every > d+time.Microsecond {
		return fmt.Errorf("every %v: the profile lasts %v only, and no window would be over", t.Every, d)
	}
	return nil
}

func (m metric) isTime() bool { return m.units[0] == Seconds }

var ops = []string{"<=", ">=", "==", "!=", "<", ">"} // longer ones first, for the parser

// String returns the threshold as ParseThreshold reads it.
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
	}
	switch {
	case t.Service:
		s += "service."
	case t.Late:
		s += "late."
	}
	if t.Metric == "p" {
		return s + "p(" + text.Number(t.Percentile) + ")"
	}
	return s + t.Metric
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

// duration converts seconds; a duration that came from text is a whole number
// of nanoseconds and comes back as the same.
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
	return text.Grouped(int64(x))
}
