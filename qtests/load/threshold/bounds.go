package threshold

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// bounds are the least and the largest value that a metric can have.
func (t Threshold) bounds() (least, most float64) {
	least, most = 0, math.Inf(1)
	switch {
	case t.Unit == Percent && t.Metric != "retries":
		most = 100
	case t.Unit == Seconds:
		most = result.LongestDuration.Seconds()
	}
	if t.Own != "" && t.Unit != Percent && t.Unit != PerSecond && t.Metric != "count" {
		return math.Inf(-1), math.Inf(1) // a gauge or a trend may be anything
	}
	return least, most
}

// checkValue reports an error if the value has no meaning, or if it alone tells that the comparison never
// or always holds.
func (t Threshold) checkValue() error {
	least, most := t.bounds()
	value := formatUnit(t.Value, t.Unit)
	switch {
	case t.Value-t.Value != 0:
		return fmt.Errorf("value %v is not a finite number", t.Value)
	case t.Value < least:
		return fmt.Errorf("value %s: %s is never below zero", value, t.name())
	case t.Value > most && t.Unit == Percent:
		return fmt.Errorf("value %s: %s is never over 100%%", value, t.name())
	case t.Value > most:
		return fmt.Errorf("value %s: a time over %v is counted as that", value, result.LongestDuration)
	case t.Unit == Count && t.Own == "" && t.Value != math.Trunc(t.Value):
		return t.fraction(value)
	case t.Op == "<" && t.Value == least, t.Op == ">" && t.Value == most:
		return fmt.Errorf("%s%s%s can never hold", t.name(), t.Op, value)
	case t.Op == ">=" && t.Value == least, t.Op == "<=" && t.Value == most:
		return fmt.Errorf("%s%s%s always holds, and so can never fail%s", t.name(), t.Op, value, t.reversed(least))
	}
	return nil
}

// reversed proposes the comparison that was surely meant.
func (t Threshold) reversed(least float64) string {
	m, bad := metrics[t.Metric], []string{"errors", "timeouts", "interrupted", "retries", "denied", "dropped", "panics"}
	switch {
	case t.Value != least || t.Own != "":
		return ""
	case slices.Contains(bad, t.Metric):
		return fmt.Sprintf("; did you mean \"%s==0\"?", t.name())
	case m.isTime():
		return fmt.Sprintf("; did you mean \"%s<250ms\" or the like?", t.name())
	}
	return fmt.Sprintf("; did you mean \"%s>%s\"?", t.name(), formatUnit(0, t.Unit))
}

// fraction is the error about a count that is no whole number. Below 1 it was surely meant as a share.
func (t Threshold) fraction(value string) error {
	if t.Value < 1 && slices.Contains(metrics[t.Metric].units, Percent) {
		return fmt.Errorf("value %s: a plain number is a count; did you mean %q, which is a share?", value, t.name()+t.Op+t.share())
	}
	return fmt.Errorf("value %s: %s is a whole number", value, t.name())
}

// share is a value from 0 to 1 in percent.
func (t Threshold) share() string { return strconv.FormatFloat(100*t.Value, 'g', 12, 64) + "%" }

// unitHint proposes what a plain number was surely meant as: other tools write milliseconds and shares so.
func (t Threshold) unitHint(m metric) string {
	switch {
	case t.Unit != Count || t.Own != "":
		return ""
	case m.isTime():
		return fmt.Sprintf("; did you mean \"%s%s%sms\"?", t.name(), t.Op, formatUnit(t.Value, Count))
	case t.Value > 1:
		return ""
	case slices.Contains(m.units, Percent):
		return fmt.Sprintf("; did you mean %q?", t.name()+t.Op+t.share())
	case t.Metric == "rate" && strings.HasPrefix(t.Op, "<"):
		return fmt.Sprintf("; did you mean \"errors%s%s\"?", t.Op, t.share())
	case t.Metric == "rate" && strings.HasPrefix(t.Op, ">"):
		return fmt.Sprintf("; did you mean \"checks%s%s\"?", t.Op, t.share())
	}
	return ""
}
