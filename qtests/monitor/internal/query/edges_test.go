package query_test

import (
	"fmt"
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
		"i_bucket{le=1} 1", "i_bucket{le=2} 2", "i_bucket{le=+Inf} 10",
		"nan_first{i=1} NaN", "nan_first{i=2} 1", "inf_first{i=1} Inf", "inf_first{i=2} 1", ":x 7",
		"dev{i=1} 2", "dev{i=2} 4", "dev{i=3} 4", "dev{i=4} 4", "dev{i=5} 5", "dev{i=6} 5", "dev{i=7} 7", "dev{i=8} 9",
		"lost{i=1} 1e100", "lost{i=2} 1", "lost{i=3} -1e100", "lost{i=4} 0", // what is small is not lost
		"huge{i=1} 1e308", "huge{i=2} 1e308", "huge{i=3} 1e308", "huge{i=4} 1e308",
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
		{"histogram_quantile(0.9, i_bucket)", `{} 2`},   // beyond the last bound that is finite
		{"max(v)", `{} 4`}, {"min(v)", `{} 1`}, {"count(v)", `{} 5`}, {"group(v)", `{} 1`}, {"sum(five)", `{} 18`}, {"avg(five)", `{} 3.6`},
		{"max(v{i='3'})", `{} NaN`}, {"max(nan_first)", `{} 1`}, {"min(nan_first)", `{} 1`}, {"min(five)", `{} 1`}, {"max(five)", `{} 8`},
		{"stdvar(dev)", `{} 4`}, {"stddev(dev)", `{} 2`}, {"stdvar(z)", `{} 0`}, {"stdvar(nan_first)", `{} NaN`}, {"stdvar(inf_first)", `{} NaN`},
		{"sum(lost)", `{} 1`}, {"avg(lost)", `{} 0.25`}, {"sum(huge)", `{} +Inf`}, {"avg(huge)", `{} 1e+308`},
		{"-z", `{} -2`}, {"-(z + 1)", `{} -3`},
		{"count_over_time(z[10s:5s]) + on() :x", `{} 8`}, // a colon in brackets, and one in a name
		{"count_values('v', tie)", `{v="5"} 3`},
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

// An expression may be asked of one store after the other.
func TestTwoStores(t *testing.T) {
	e := parse(t, "z")
	for _, want := range []float64{2, 9, 4} {
		r, err := e.Eval(load(t, fmt.Sprint("z ", want)), 10*second)
		require.NoError(t, err)
		require.InDelta(t, want, r.Points[0].Value, 0)
	}
}

func TestWindows(t *testing.T) {
	require.Equal(t, []query.Window{
		{Text: "rate(a[5m])", Function: "rate", Span: 5 * time.Minute, Metric: "a"},
		{Text: "deriv(sum(b)[1h:1m])", Function: "deriv", Span: time.Hour, Step: time.Minute, Summed: true},
		{Text: "increase(max(b)[1h:1m])", Function: "increase", Span: time.Hour, Step: time.Minute},
		{Text: "increase(sum(rate(c[1m]))[1h:1m])", Function: "increase", Span: time.Hour, Step: time.Minute},
		{Text: "rate(c[1m])", Function: "rate", Span: time.Minute, Metric: "c"},
	}, parse(t, "rate(a[5m]) + deriv(sum(b)[1h:1m]) + increase(max(b)[1h:1m]) + increase(sum(rate(c[1m]))[1h:1m]) + sum_over_time(d[1m])").Windows())
	for gap, holds := range map[time.Duration]int64{time.Minute: 5, 2 * time.Minute: 3, 5 * time.Minute: 1, 5*time.Minute - 1: 2, 5*time.Minute + 1: 1} {
		require.Equal(t, holds, query.Window{Span: 5 * time.Minute}.Holds(gap), gap)
	}
	require.Equal(t, int64(5), query.Window{Span: 5 * time.Minute, Step: time.Minute}.Holds(time.Hour))
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
	st := load(t, "a 1", "late _ 1")
	for expr, want := range map[string]bool{
		"a": true, "a > 1": true, "nope": false, "nope > 1": false, "timestamp(a) > 1e9": true, "timestamp(nope)": false,
		"count_over_time(a[1m]) > 5": true, "count_over_time(nope[1m])": false, "nope or a": true,
		"rate(a[1m])": true, "rate(late[10s])": false, "avg_over_time(late[10s])": false, "avg_over_time(a[1m]) > 9": true,
		"absent_over_time(a[1m])": true, "absent_over_time(late[10s])": false, "deriv(a[1m])": true, "deriv(late[10s])": false,
		"predict_linear(a[1m], 1)": true, "predict_linear(late[10s], 1)": false,
	} {
		e, err := query.Parse(expr)
		require.NoError(t, err, expr)
		r, err := e.Eval(st, 10*second)
		require.NoError(t, err, expr)
		assert.Equal(t, want, r.Data, expr)
	}
}
