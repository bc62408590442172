package query_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each function over a few samples, as Prometheus' documentation defines it.
func TestFunctions(t *testing.T) {
	st := load(t,
		"g     3 1 _ 4 1 5",
		"n     NaN NaN 1 NaN 1 1",
		"same  2 2 2 2 2 2",
		"sign  _ _ _ _ _ -2.5",
		"null  _ _ _ _ _ 0",
		"odd   _ _ _ _ _ NaN",
		"c     5 8 2 6 6 7",
		"once  _ _ _ _ _ 9",
		"below -4 -2 0 2 4 6",
		"low   _ 1 21 41 61 81",
		"tenth 0.1 0.1 0.1 0.1 0.1 0.1",
		"up    Inf Inf Inf Inf Inf Inf",
		"lost  1e100 1 -1e100 0 _ _",
		"huge  1e308 1e308 1e308 1e308 _ _",
	)
	for _, test := range []struct{ expr, want string }{
		{"changes(g[1m])", "4"},
		{"changes(same[1m])", "0"},
		{"changes(n[1m])", "3"}, // NaN after NaN is no change
		{"changes(once[1m])", "0"},
		{"changes(nope[1m])", ""},
		{"resets(c[1m])", "1"},
		{"resets(same[1m])", "0"},
		{"last_over_time(g[1m])", "5"},
		{"last_over_time(g[10s] offset 20s)", "4"},
		{"last_over_time(g[10s] offset 30s)", ""},
		{"avg_over_time(g[1m])", "2.8"},
		{"sum_over_time(g[1m])", "14"},
		{"count_over_time(g[1m])", "5"},
		{"present_over_time(g[1m])", "1"},
		{"present_over_time(g[10s] offset 30s)", ""},
		{"min_over_time(g[1m])", "1"},
		{"min_over_time(n[1m])", "1"},
		{"max_over_time(g[1m])", "5"},
		{"max_over_time(n[1m])", "1"},
		{"max_over_time(odd[1m])", "NaN"},
		{"stdvar_over_time(g[1m])", "2.56"},
		{"stddev_over_time(g[1m])", "1.6"},
		{"quantile_over_time(0.5, g[1m])", "3"},
		{"quantile_over_time(0.25, g[1m])", "1"},
		{"quantile_over_time(0.875, g[1m])", "4.5"},
		{"quantile_over_time(1.01, g[1m])", "+Inf"},
		{"quantile_over_time(-0.01, g[1m])", "-Inf"},
		{"quantile_over_time(0.5, nope[1m])", ""},
		{"idelta(c[30s])", "1"},
		{"idelta(c[20s] offset 30s)", "-6"},
		{"irate(c[20s] offset 30s)", "0.2"}, // a reset: counted from zero
		{"irate(c[20s] offset 10s)", "0"},
		{"irate(once[1m])", ""},
		{"idelta(once[1m])", ""},
		{"delta(below[1m])", "12"}, // of 50 s, beyond them to the edge
		{"increase(below[1m])", "12"},
		{"rate(same[1m])", "0"},
		{"increase(low[1m])", "81"}, // never extrapolated below zero
		{"delta(low[1m])", "90"},
		{"increase(below[20s])", "4"}, // of two samples
		{"delta(below[20s])", "4"},
		{"deriv(below[20s])", "0.2"},
		{"predict_linear(below[20s], 10)", "8"},
		{"deriv(tenth[1m])", "0"}, // a constant has no slope, whatever is rounded
		{"predict_linear(tenth[1m], 1e18)", "0.1"},
		{"deriv(up[1m])", "NaN"},
		{"sum_over_time(lost[1m])", "1"},
		{"avg_over_time(lost[1m])", "0.25"},
		{"sum_over_time(huge[1m])", "+Inf"},
		{"avg_over_time(huge[1m])", "1e+308"},
		{"stdvar_over_time(tenth[1m])", "0"},
		{"absent_over_time(g[10s] offset 30s)", "1"},
		{"deriv(below[1m])", "0.2"},
		{"deriv(once[1m])", ""},
		{"predict_linear(below[1m], 10)", "8"},
		{"predict_linear(below[1m], -10)", "4"},
		{"predict_linear(below[1m] offset 10s, 10)", "8"}, // from the instant of the evaluation
		{"predict_linear(once[1m], 10)", ""},
		{"abs(sign)", "2.5"},
		{"ceil(sign)", "-2"},
		{"floor(sign)", "-3"},
		{"round(sign)", "-2"}, // halves up
		{"round(sign, 2)", "-2"},
		{"round(once, 4)", "8"},
		{"sgn(sign)", "-1"},
		{"sgn(null)", "0"},
		{"sgn(once)", "1"},
		{"sgn(odd)", "NaN"},
		{"clamp_min(sign, -2)", "-2"},
		{"clamp_max(once, 8)", "8"},
		{"clamp(once, 9, 9)", "9"},
		{"exp(null)", "1"},
		{"log2(vector(8))", "3"},
		{"log10(vector(100))", "2"},
		{"ln(exp(vector(3)))", "3"},
		{"sqrt(once)", "3"},
		{"scalar(once) * vector(2)", "18"},
		{"vector(scalar(nope))", "NaN"},
		{"vector(time())", "60"},
		{"absent(once)", ""},
	} {
		got, err := eval(t, st, test.expr, 60)
		require.NoError(t, err, test.expr)
		assert.Equal(t, test.want, got[strings.LastIndexByte(got, ' ')+1:], test.expr)
	}
}

// The series that comes to a subquery at a later step is where its selector has it, so that
// of equal elements the same is the best as in Prometheus.
func TestSubqueryOrder(t *testing.T) {
	st := load(t,
		`g{a=1,b=x} _ _ _ _ 1 1`,
		`g{a=1,b=y} 1 1 1 1 1 1`,
		`g{a=2,b=z} 1 1 1 1 1 1`,
	)
	for _, test := range []struct{ expr, want string }{
		{`topk by (a) (1, present_over_time(g[1m:10s]))`, `{a="1",b="x"} 1; {a="2",b="z"} 1`},
		{`bottomk(1, present_over_time(sum by (b) (g)[1m:10s]))`, `{b="x"} 1`},
		{`topk(1, max_over_time(sum by (a) (g{b!="x"})[1m:10s]))`, `{a="1"} 1`},
	} {
		got, err := eval(t, st, test.expr, 60)
		require.NoError(t, err, test.expr)
		assert.Equal(t, test.want, got, test.expr)
	}
}
