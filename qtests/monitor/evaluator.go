package monitor

import (
	"context"
	"errors"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// A Compiler makes the Evaluator of an expression. Its error refuses the rule.
type Compiler func(expr string) (Evaluator, error)

// An Evaluator evaluates one expression, in place of the monitor's own reader of
// PromQL. The monitor calls it from one goroutine at a time, holding no lock; one
// that panics, exits or takes longer than Config.Timeout has failed.
type Evaluator interface {
	Eval(ctx context.Context, h *History, at time.Time) (Result, error)
}

// A Result is what an expression gave at one instant.
type Result struct {
	// Points are the elements. Where an element still is a metric, its labels
	// include the name as "__name__".
	Points []Point
	// NoData says that no selector of the expression found any sample, which is
	// not the same as a condition that does not hold. See Rule.NoData.
	NoData bool
}

// A History is a monitor's samples as an Evaluator sees them. It is valid until
// Eval returns: from then on it has no series.
type History struct {
	series func(from, to time.Time, matchers []history.Matcher) []Series
}

// Series returns the series that every matcher chooses (the metric's name is the
// label "__name__"), sorted by labels, with the samples after from and up to to,
// stale markers included: see IsStale.
func (h *History) Series(from, to time.Time, matchers ...Matcher) []Series {
	ms := make([]history.Matcher, len(matchers))
	for i, x := range matchers {
		ms[i] = x.m
	}
	return h.series(from, to, ms)
}

// IsStale reports whether v is Prometheus' stale marker, the value of a series at
// a scrape that did not bring it.
func IsStale(v float64) bool { return history.IsStale(v) }

// An expression is one that the monitor evaluates with its own reader, or with the
// Evaluator of Config.Compile.
type expression struct {
	expr      *query.Expr // or
	evaluator Evaluator
	guard     guard
}

// compile makes the expression ready, with a compiler that may panic.
func (x *expression) compile(text string, c Compiler) (err error) {
	if c == nil {
		x.expr, err = query.Parse(text)
		return err
	}
	x.guard = newGuard("the rule's evaluator")
	err = usercode.Call(func() (err error) {
		x.evaluator, err = c(text)
		return err
	})
	if err == nil && x.evaluator == nil {
		return errors.New("Config.Compile returned no Evaluator")
	}
	return usercode.Blame("Config.Compile", err)
}

// An outcome is what a rule's expression gave, and the alerts that its elements are.
type outcome struct {
	points     []query.Point
	histograms []*dto.Histogram // of the points, from an Evaluator
	conditions []alert.Condition
	noData     bool
	err        error
	flaw       error // of the templates, which stop nothing
}
