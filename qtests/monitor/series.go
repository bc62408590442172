package monitor

import (
	"math"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"

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
	// Histogram is the sample of a native histogram, whose Value is NaN: see
	// Config.NativeHistograms. Nobody may change it.
	Histogram *dto.Histogram
	// Exemplar is what the gatherer gave with the counter or the classic bucket, in the
	// first scrape that brought it. Those of a native histogram are in Histogram.
	Exemplar *dto.Exemplar
}

// A Series is some of the samples of one time series, oldest first.
type Series struct {
	Name    string
	Labels  Labels
	Samples []Sample
	// Created is since when a counter, histogram or summary counts, as its gatherer last
	// said; the zero time where it did not.
	Created time.Time
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
	// Histogram is an element that is a native histogram, which only an [Evaluator] gives.
	Histogram *dto.Histogram
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

// kept is a series of the history, without its samples.
func kept(s *history.Series) Series {
	out := publicSeries(s.Labels)
	if s.Created != 0 {
		out.Created = instant(s.Created)
	}
	return out
}

// formatValue writes a number as Prometheus' exposition does.
func formatValue(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// sampleOf makes the public sample of a row that has one.
func sampleOf(st *history.Store, s *history.Series, row int, v float64) Sample {
	out := Sample{At: instant(st.At(row)), Value: v, Exemplar: s.Exemplar(row)}
	if history.IsHistogram(v) {
		out.Value, out.Histogram = math.NaN(), s.Histogram(row)
	}
	return out
}

// nanos is UnixNano with the zero time, which has none, as the beginning.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
