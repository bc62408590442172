package query_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// What happens where two values are equal, and where a bound is met exactly.
func TestEdges(t *testing.T) {
	st := load(t,
		"tie{i=1} 5", "tie{i=2} 5", "tie{i=3} 5",
		"v{i=1} 3", "v{i=2} 1", "v{i=3} NaN", "v{i=4} 2", "v{i=5} 4",
		"a 1", "z 2", "A 3", "Z 4", "_ 5", "a:9Z_ 6",
		"e_bucket{le=1} 0", "e_bucket{le=2} 0", "e_bucket{le=+Inf} 0",
		"w_bucket{le=1} 10", "w_bucket{le=2} 8", "w_bucket{le=4} 20", "w_bucket{le=+Inf} 20", // falls by a rounding error
		"d_bucket{le=1} 4", "d_bucket{le=1.0} 6", "d_bucket{le=2} 20", "d_bucket{le=+Inf} 20", // one bound twice
		"x_bucket{le=0} 10", "x_bucket{le=+Inf} 10", "o_bucket{le=+Inf} 3", "no_bucket{le=text} 3",
		"f_bucket{le=1} 0", "f_bucket{le=2} 10", "f_bucket{le=+Inf} 10",
		"five{i=1} 3", "five{i=2} 1", "five{i=3} 8", "five{i=4} 2", "five{i=5} 4",
		"s_bucket{le=1} 10", "s_bucket{le=2} 10.000000000001", "s_bucket{le=4} 20", "s_bucket{le=+Inf} 20",
	)
	for _, test := range []struct{ expr, want string }{
		{"topk(1, tie)", `tie{i="1"} 5`}, // the first of several that are equal
		{"bottomk(1, tie)", `tie{i="1"} 5`},
		{"topk(2, v)", `v{i="5"} 4; v{i="1"} 3`},
		{"bottomk(2, v)", `v{i="2"} 1; v{i="4"} 2`},
		{"topk(5, v)", `v{i="5"} 4; v{i="1"} 3; v{i="4"} 2; v{i="2"} 1; v{i="3"} NaN`},
		{"bottomk(5, v)", `v{i="2"} 1; v{i="4"} 2; v{i="1"} 3; v{i="5"} 4; v{i="3"} NaN`},
		{"z < 2", ``}, {"z <= 2", `z 2`}, {"z > 2", ``}, {"z >= 2", `z 2`}, {"z == 2", `z 2`}, {"z != 2", ``},
		{"3 < bool 3", `{} 0`}, {"3 <= bool 3", `{} 1`}, {"3 > bool 3", `{} 0`}, {"3 >= bool 3", `{} 1`}, {"3 != bool 3", `{} 0`},
		{"a + A + Z", `{} 8`}, {"_", `_ 5`}, {"a:9Z_", `a:9Z_ 6`},
		{"histogram_quantile(0.5, e_bucket)", `{} NaN`},
		{"histogram_quantile(NaN, w_bucket)", `{} NaN`},
		{"histogram_quantile(0, w_bucket)", `{} 0`},
		{"histogram_quantile(0.25, w_bucket)", `{} 0.5`},
		{"histogram_quantile(0.5, w_bucket)", `{} 1`},
		{"histogram_quantile(0.75, w_bucket)", `{} 3`}, // the second has as many as the first
		{"histogram_quantile(1, w_bucket)", `{} 4`},
		{"histogram_quantile(1.1, w_bucket)", `{} +Inf`},
		{"histogram_quantile(0.25, d_bucket)", `{} 0.5`},
		{"histogram_quantile(0.75, d_bucket)", `{} 1.5`},
		{"histogram_quantile(0.5, x_bucket)", `{} 0`},
		{"histogram_quantile(0.5, o_bucket)", `{} NaN`},
		{"histogram_quantile(0.5, no_bucket)", ``},
		{"histogram_quantile(0.75, s_bucket)", `{} 3`},  // the second is a rounding error above the first
		{"histogram_quantile(0.5, f_bucket)", `{} 1.5`}, // the first is empty, not nearly equal to the second
		{"quantile(0.25, tie)", `{} 5`},
		{"quantile(0.125, five)", `{} 1.5`},
		{"quantile(0.875, five)", `{} 6`},
		{"quantile(0, five)", `{} 1`},
		{"quantile(1, five)", `{} 8`},
		{"quantile(0.25, five)", `{} 2`},
		{"z @ -10", ``}, {"z @ +10", `z 2`}, {"z @ 10s", `z 2`}, {"z @ -10s", ``},
		{"z atan2 z", `{} 0.7853981633974483`},
		{"7 % 4", `{} 3`},
		{"-7 % 4", `{} -3`},
	} {
		got, err := eval(t, st, test.expr, 10)
		require.NoError(t, err, test.expr)
		assert.Equal(t, test.want, got, test.expr)
	}
}

func TestNeedTwo(t *testing.T) {
	for expr, want := range map[string][]string{
		"rate(a[10s])":                         {"rate(a[10s])"}, // open on the left: never two samples
		"rate(a[11s])":                         nil,
		"increase((a[9s]))":                    {"increase((a[9s]))"},
		"avg_over_time(a[1s])":                 nil,
		"deriv(a[1m:1m])":                      {"deriv(a[1m:1m])"},
		"deriv(a[61s:1m])":                     nil,
		"delta(a[1s]) > 1 or -irate(b[1s])":    {"delta(a[1s])", "irate(b[1s])"},
		"sum(max_over_time(rate(a[1s])[1m:]))": {"rate(a[1s])"},
		"topk(scalar(resets(a[1s])), b)":       {"resets(a[1s])"},
		"predict_linear(a[1s], 3)":             {"predict_linear(a[1s], 3)"},
	} {
		e, err := query.Parse(expr)
		require.NoError(t, err, expr)
		assert.Equal(t, want, e.NeedTwo(10*time.Second), expr)
	}
}

func TestSelectorsInTheOrderOfTheText(t *testing.T) {
	e, err := query.Parse(`a{b="c"} + on (x) sum({__name__=~"d|e", f!="g"}) - (h)`)
	require.NoError(t, err)
	var texts, names []string
	for _, s := range e.Selectors() {
		texts, names = append(texts, s.String()), append(names, s.Name())
	}
	require.Equal(t, []string{`a{b="c"}`, `{__name__=~"d|e",f!="g"}`, "h"}, texts)
	require.Equal(t, []string{"a", "", "h"}, names)
}

// A result without an element may come from data or from nothing.
func TestWhetherThereWasData(t *testing.T) {
	st := load(t, "a 1")
	for expr, want := range map[string]bool{
		"a": true, "a > 1": true, "nope": false, "nope > 1": false, "timestamp(a) > 1e9": true, "timestamp(nope)": false,
		"count_over_time(a[1m]) > 5": true, "count_over_time(nope[1m])": false, "nope or a": true,
	} {
		e, err := query.Parse(expr)
		require.NoError(t, err, expr)
		r, err := e.Eval(st, 10*second)
		require.NoError(t, err, expr)
		assert.Equal(t, want, r.Data, expr)
	}
}
