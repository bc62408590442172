package promql

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// A testSample is one element of a result: a number, or a native histogram.
type testSample struct {
	labels    labels.Labels
	value     float64
	histogram string
}

func (s testSample) String() string {
	if s.histogram != "" {
		return s.labels.String() + " " + s.histogram
	}
	return s.labels.String() + " " + strconv.FormatFloat(s.value, 'E', -1, 64)
}

// checkExpr evaluates an expression and compares the result.
func (r *ruleRun) checkExpr(c exprCase) error {
	have, err := r.query(c.Expr, r.start.Add(time.Duration(c.EvalTime)))
	if err != nil {
		return err
	}
	var want []testSample
	for _, x := range c.ExpSamples {
		ls, err := r.parser.ParseMetric(x.Labels)
		s := testSample{labels: ls, value: x.Value}
		if err == nil && x.Histogram != "" {
			var h *histogram.FloatHistogram
			h, err = r.parseHistogram(x.Histogram)
			s.histogram = promqltest.HistogramTestExpression(h)
		}
		if err != nil {
			return fmt.Errorf("labels %q: %w", x.Labels, err)
		}
		want = append(want, s)
	}
	byLabels := func(a, b testSample) int { return labels.Compare(a.labels, b.labels) }
	slices.SortStableFunc(have, byLabels)
	slices.SortStableFunc(want, byLabels)
	if slices.EqualFunc(want, have, r.same) {
		return nil
	}
	return fmt.Errorf("\n%s", difference(texts(want), texts(have)))
}

func texts(samples []testSample) []string {
	out := make([]string, len(samples))
	for i, s := range samples {
		out[i] = s.String()
	}
	return out
}

// same compares to the bit, or with fuzzy_compare to the neighbouring number. NaN is equal
// to nothing, as in promtool.
func (r *ruleRun) same(a, b testSample) bool {
	x, y := a.value, b.value
	equal := x == y || r.file.FuzzyCompare && (math.Nextafter(x, math.Inf(-1)) == y || math.Nextafter(x, math.Inf(1)) == y)
	return equal && labels.Equal(a.labels, b.labels) && a.histogram == b.histogram
}

func (r *ruleRun) parseHistogram(text string) (*histogram.FloatHistogram, error) {
	_, values, err := r.parser.ParseSeriesDesc("{} " + text)
	switch {
	case err != nil:
		return nil, err
	case len(values) != 1:
		return nil, fmt.Errorf("expected 1 value, got %d", len(values))
	case values[0].Histogram == nil:
		return nil, fmt.Errorf("expected histogram, got %v", values[0])
	}
	return values[0].Histogram, nil
}

func (r *ruleRun) query(expr string, at time.Time) ([]testSample, error) {
	q, err := r.suite.QueryEngine().NewInstantQuery(r.suite.Context(), r.suite.Queryable(), nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	res := q.Exec(r.suite.Context())
	if res.Err != nil {
		return nil, res.Err
	}
	var out []testSample
	switch v := res.Value.(type) {
	case promql.Scalar:
		out = append(out, testSample{value: v.V})
	case promql.Vector:
		for _, s := range v {
			x := testSample{labels: s.Metric.Copy(), value: s.F}
			if s.H != nil {
				x.histogram = promqltest.HistogramTestExpression(s.H)
			}
			out = append(out, x)
		}
	default:
		return nil, errors.New("the result is neither a vector nor a scalar")
	}
	return out, nil
}
