package monitor

import (
	"strconv"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// Labels are the labels of a series or an alert, without the metric's name.
type Labels map[string]string

// String returns the labels as an expression writes them, sorted: {a="b",c="d"}.
func (ls Labels) String() string { return history.FromMap(ls).String() }

// A Sample is a value at the instant of the scrape that brought it.
type Sample struct {
	At    time.Time
	Value float64
}

// A Series is some of the samples of one time series, oldest first.
type Series struct {
	Name    string
	Labels  Labels
	Samples []Sample
}

// String returns the series as an expression writes it: name{a="b"}.
func (s Series) String() string { return s.id().String() }

func (s Series) id() history.Labels {
	return history.FromMap(s.Labels).With(history.NameLabel, s.Name)
}

// Last returns the newest sample, or false where there is none.
func (s Series) Last() (Sample, bool) {
	if len(s.Samples) == 0 {
		return Sample{}, false
	}
	return s.Samples[len(s.Samples)-1], true
}

// A Point is one element of an instant vector: what a query gives for one label
// set at one instant. The labels of a result that still is a metric include
// its name as "__name__".
type Point struct {
	Labels Labels
	Value  float64
}

// A Matcher chooses series by one label. A label that a series lacks counts
// as empty.
type Matcher struct{ m history.Matcher }

// Equal matches label values that are value.
func Equal(label, value string) Matcher { return newMatcher(label, history.Equal, value) }

// NotEqual matches label values that are not value.
func NotEqual(label, value string) Matcher { return newMatcher(label, history.NotEqual, value) }

// Match matches label values by a regular expression (RE2), fully anchored. An
// expression that does not parse panics, as regexp.MustCompile does.
func Match(label, expression string) Matcher { return newMatcher(label, history.Match, expression) }

// NotMatch matches what Match does not.
func NotMatch(label, expression string) Matcher {
	return newMatcher(label, history.NotMatch, expression)
}

func newMatcher(label string, op history.Op, value string) Matcher {
	m, err := history.NewMatcher(label, op, value)
	if err != nil {
		panic("monitor: " + err.Error())
	}
	return Matcher{m: m}
}

// instant converts nanoseconds since 1970, in UTC, so that results read the
// same everywhere.
func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }

func publicSeries(ls history.Labels) Series {
	m := ls.Map()
	name := m[history.NameLabel]
	delete(m, history.NameLabel)
	return Series{Name: name, Labels: m}
}

// formatValue writes a number as Prometheus' exposition does.
func formatValue(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
