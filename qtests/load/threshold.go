package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Threshold is what a run must keep. ParseThreshold reads one from text, and
// String writes it. The zero value is not valid.
type Threshold struct {
	// At most one of Step, Tag ("key=value") and Check limits the metric to a
	// part of the run.
	Step, Tag, Check string
	// Service measures from the start of a request and Late from the due instant to the start;
	// otherwise response time counts, from the due instant to the end.
	Service, Late bool
	// Metric is one of the names that ParseThreshold lists.
	Metric string
	// Percentile is that of the metric "p", from 0 to 100.
	Percentile float64
	// Op is one of < <= > >= == !=.
	Op string
	// Value is in seconds for Seconds, from 0 to 100 for Percent.
	Value float64
	Unit  Unit
	// Every, if set, wants the threshold kept by every window of that length in which
	// anything ended, as well as by no less than one window.
	Every time.Duration
	// Abort ends the run as soon as the threshold is broken, but not before
	// AbortAfter has passed.
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
	return [...]string{"a plain number", "a duration such as 250ms", "a share such as 1%", "a rate such as 100/s"}[u]
}

// A metric is what a threshold may name.
type metric struct {
	units  []Unit
	scopes string // letters: r the run, s a step, t a tag, c a check, w windows
}

var metrics = map[string]metric{
	"avg": {[]Unit{Seconds}, "rstw"},
	"min": {[]Unit{Seconds}, "rstw"},
	"max": {[]Unit{Seconds}, "rstw"},
	"med": {[]Unit{Seconds}, "rstw"},
	"p":   {[]Unit{Seconds}, "rstw"},

	"count":    {[]Unit{Count}, "rstw"},
	"requests": {[]Unit{Count}, "rstw"},
	"rate":     {[]Unit{PerSecond}, "rstw"},
	"goodput":  {[]Unit{PerSecond}, "rstw"},
	"errors":   {[]Unit{Percent, Count, PerSecond}, "rstw"},

	"dropped":     {[]Unit{Percent, Count, PerSecond}, "r"},
	"interrupted": {[]Unit{Percent, Count}, "r"},
	"retries":     {[]Unit{Percent, Count, PerSecond}, "r"},
	"denied":      {[]Unit{Percent, Count}, "r"},
	"timeouts":    {[]Unit{Percent, Count, PerSecond}, "r"},
	"panics":      {[]Unit{Count}, "r"},
	"in_flight":   {[]Unit{Count}, "r"},
	"checks":      {[]Unit{Percent}, "rc"},
}

// ParseThreshold reads a threshold:
//
//	[scope.][which.]metric op value [every DURATION] [abort [after DURATION]]
//
//	p(99)<250ms                 errors<1%             dropped==0
//	step(checkout).p(95)<=300ms tag(region=eu).rate>10/s check(body ok)>99%
//	p(99)<1s every 1m           errors<50% abort after 30s
//
// scope is step(name), tag(key=value) or check(name). which is service, for times
// from the start of a request, or late, for the time from its due instant to its start;
// without it, times count from the due instant to the end.
//
// Metrics of time, in units of Go's durations: avg, min, max, med, p(x).
// Counts: count or requests (that ended), errors, dropped, interrupted, retries,
// denied (retries over the budget), timeouts, panics, in_flight (the most). errors, dropped, interrupted,
// retries, denied and timeouts may be a share in percent of the requests that ended (of
// those due for dropped, of those started for interrupted, retries and denied). Rates per second of the
// run: rate, goodput (without errors), errors, dropped, retries, timeouts. Shares: checks.
//
// An unknown name is an error that proposes the nearest one, and so is a unit
// that does not fit.
func ParseThreshold(text string) (Threshold, error) {
	p := thresholdParser{text: text, rest: strings.TrimSpace(text)}
	t, err := p.parse()
	if err != nil {
		return Threshold{}, fmt.Errorf("load: threshold %q: %w", text, err)
	}
	return t, nil
}

// Validate reports what is wrong with the threshold.
func (t Threshold) Validate() error {
	m, ok := metrics[t.Metric]
	scope := "r"
	switch {
	case !ok:
		return unknown("metric", t.Metric, sortedKeys(metrics))
	case t.Metric == "p" && !(t.Percentile >= 0 && t.Percentile <= 100):
		return fmt.Errorf("percentile %v is not between 0 and 100", t.Percentile)
	case !slices.Contains(m.units, t.Unit):
		return fmt.Errorf("%s is %s, not %s", t.name(), joinUnits(m.units), t.Unit)
	case !slices.Contains(ops, t.Op):
		return fmt.Errorf("operator %q is none of %s", t.Op, strings.Join(ops, " "))
	case t.Value != t.Value:
		return fmt.Errorf("value is not a number")
	case t.Every < 0 || t.AbortAfter < 0:
		return fmt.Errorf("a duration is negative")
	case t.AbortAfter > 0 && !t.Abort:
		return fmt.Errorf("AbortAfter %v without Abort", t.AbortAfter)
	case (t.Service || t.Late) && !m.isTime():
		return fmt.Errorf("%s is no time, so service and late do not go with it", t.Metric)
	case t.Late && (t.Step != "" || t.Tag != "" || t.Every > 0 || t.Service):
		return fmt.Errorf("late goes with the whole run only")
	}
	for letter, given := range map[string]string{"s": t.Step, "t": t.Tag, "c": t.Check} {
		if given == "" {
			continue
		}
		if scope != "r" {
			return fmt.Errorf("more than one of step, tag and check")
		}
		scope = letter
	}
	if !strings.Contains(m.scopes, scope) {
		return fmt.Errorf("%s is not counted by %s", t.Metric, map[string]string{"r": "run", "s": "step", "t": "tag", "c": "check"}[scope])
	}
	if t.Every > 0 && !strings.Contains(m.scopes, "w") {
		return fmt.Errorf("%s is not kept by windows", t.Metric)
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
		return s + "p(" + number(t.Percentile) + ")"
	}
	return s + t.Metric
}

func formatUnit(x float64, u Unit) string {
	switch u {
	case Seconds:
		return duration(x).String()
	case Percent:
		return number(x) + "%"
	case PerSecond:
		return number(x) + "/s"
	}
	return number(x)
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
