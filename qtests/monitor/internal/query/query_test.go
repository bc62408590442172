package query_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

const second = int64(time.Second)

// load makes a store. Its columns are the fields of the lines, ten seconds
// apart from 10 s on: "name{a="b"}  1 2 _ 4", _ for absent.
func load(t testing.TB, lines ...string) *history.Store {
	st := history.New(history.Limits{Retention: math.MaxInt64 / 2, Samples: 1 << 20, Series: 1000})
	rows := 0
	for _, l := range lines {
		rows = max(rows, len(strings.Fields(l))-1)
	}
	for i := range rows {
		require.NoError(t, st.Begin(int64(i+1)*10*second))
		for _, l := range lines {
			f := strings.Fields(l)
			if i+1 >= len(f) || f[i+1] == "_" {
				continue
			}
			s, err := st.Series(parseLabels(t, f[0]))
			require.NoError(t, err)
			var v float64
			_, err = fmt.Sscan(f[i+1], &v)
			require.NoError(t, err)
			require.True(t, st.Set(s, v))
		}
	}
	return st
}

// parseLabels reads name{a=b,c=d}.
func parseLabels(t testing.TB, text string) history.Labels {
	name, rest, _ := strings.Cut(text, "{")
	ls := history.Labels{{Name: history.NameLabel, Value: name}}
	for _, pair := range strings.Split(strings.TrimSuffix(rest, "}"), ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			ls = append(ls, history.Label{Name: k, Value: v})
		}
	}
	return history.NewLabels(ls...)
}

func eval(t testing.TB, st *history.Store, expr string, at int64) (string, error) {
	e, err := query.Parse(expr)
	require.NoError(t, err, expr)
	r, err := e.Eval(st, at*second)
	var out []string
	for _, p := range r.Points {
		out = append(out, fmt.Sprintf("%s %v", p.Labels, p.Value))
	}
	return strings.Join(out, "; "), err
}

// What Prometheus' documentation says, each rule by one example.
func TestMeaning(t *testing.T) {
	st := load(t,
		"c{i=1}  0 10 20 30 40 50",
		"c{i=2}  0 10 20  5 15 25",
		"g{i=1}  1  2  _  4  5  6",
		"h_bucket{le=1}    0 10 10 10 10 10",
		"h_bucket{le=2}    0 20 20 20 20 20",
		"n_bucket{le=-1}   0 10",
		"n_bucket{le=+Inf} 0 10",
		"h_bucket{le=+Inf} 0 20 20 20 20 20",
	)
	for _, test := range []struct {
		at         int64
		expr, want string
	}{
		{60, "c", `c{i="1"} 50; c{i="2"} 25`},
		{359, `c{i="1"}`, `c{i="1"} 50`}, // five minutes back, the interval open on the left
		{360, `c{i="1"}`, ``},
		{35, "g", ``}, // a later scrape did not bring it: stale at once
		{40, "g", `g{i="1"} 4`},
		{60, "g offset 50s", `g{i="1"} 1`},
		{60, "g offset -1m", `g{i="1"} 6`},
		{60, "count_over_time(c{i='1'}[20s])", `{i="1"} 2`}, // left-open: not the sample at 40 s
		{60, "count_over_time(g[1m])", `{i="1"} 5`},
		{60, "count_over_time(g[60])", `{i="1"} 5`},
		{60, "count_over_time(g[6e1] offset 0)", `{i="1"} 5`},
		{60, "increase(c{i='1'}[50s])", `{i="1"} 50`}, // 40 s of samples, extrapolated to 50 s
		{60, "rate(c{i='1'}[50s])", `{i="1"} 1`},
		{60, "increase(c{i='2'}[1m])", `{i="2"} 45`}, // a reset, and no extrapolation below zero
		{60, "delta(g[30s])", `{i="1"} 3`},
		{60, "delta(c{i='1'}[2m])", `{i="1"} 55.00000000000001`}, // begins far from the samples: half a distance beyond
		{85, "delta(c{i='1'}[1m])", `{i="1"} 40`},                // ends far from them
		{72, "delta(c{i='1'}[1m] offset 500ms)", `{i="1"} 53.5`}, // 11.5 s, more than 1.1 distances
		{70, "delta(c{i='1'}[1m])", `{i="1"} 60`},                // 10 s are near enough
		{71, "delta(c{i='1'}[1m])", `{i="1"} 54`},                // 11 s are as far
		{60, "irate(c{i='2'}[1m])", `{i="2"} 1`},
		{40, "irate(c{i='2'}[1m])", `{i="2"} 0.5`},
		{60, "rate(c{i='1'}[10s])", ``}, // one sample is no rate
		{60, "resets(c[1m])", `{i="1"} 0; {i="2"} 1`},
		{20, "histogram_quantile(0.5, h_bucket)", `{} 1`},
		{20, "histogram_quantile(0.75, h_bucket)", `{} 1.5`},
		{20, "histogram_quantile(1, h_bucket)", `{} 2`},
		{20, "histogram_quantile(-1, h_bucket)", `{} -Inf`},
		{20, "histogram_quantile(0.5, h_bucket{le!='+Inf'})", `{} NaN`},
		{20, "histogram_quantile(0.5, n_bucket)", `{} -1`}, // nothing is known below the lowest bound
		{60, "sum(c)", `{} 75`},
		{60, "sum by (i) (c)", `{i="1"} 50; {i="2"} 25`},
		{60, "sum without (i) (c)", `{} 75`},
		{60, "c > 30", `c{i="1"} 50`}, // a comparison filters and keeps the name
		{60, "30 < c", `c{i="1"} 50`},
		{60, "c > bool 30", `{i="1"} 1; {i="2"} 0`},
		{60, "c / on (i) g", `{i="1"} 8.333333333333334`},
		{60, "c and on (i) g", `c{i="1"} 50`},
		{60, "c unless on (i) g", `c{i="2"} 25`},
		{60, "g or c", `g{i="1"} 6; c{i="2"} 25`},
		{60, "2 ^ 3 ^ 2", `{} 512`},
		{60, "-2 ^ 2", `{} -4`},
		{60, "1 + 2 * 3 - 4 / 2 % 3", `{} 5`},
		{60, "0x10 + 1e1 + .5", `{} 26.5`},
		{60, "absent(nope{a='x',b=~'y'})", `{a="x"} 1`},
		{60, "absent(nope{a!='x',a='y',b='1',b='2',d='1',d!='2'})", `{a="y"} 1`}, // in this order, as Prometheus
		{60, "absent(c)", ``},
		{60, "scalar(g) + time()", `{} 66`},
		{60, "vector(1) > 0", `{} 1`},
		{60, "clamp(c, 30, 40)", `{i="1"} 40; {i="2"} 30`},
		{60, "clamp(c, 2, 1)", ``},
		{60, "round(c / 7, 0.5)", `{i="1"} 7; {i="2"} 3.5`},
		{60, "c * on () group_left g{i='1'}", `{i="1"} 300; {i="2"} 150`},
		{60, "g{i='1'} - ignoring (i) group_right (nope) c", `{i="1"} -44; {i="2"} -19`},
		{60, "c{i='2'} * on () group_left (i) g{i='1'}", `{i="1"} 150`},
		{60, "topk(1, c)", `c{i="1"} 50`},
		{60, "bottomk by (i) (9, c)", `c{i="1"} 50; c{i="2"} 25`},
		{60, "topk(0.9, c)", ``},
		{60, "count_values('v', g or c)", `{v="6"} 1; {v="25"} 1`},
		{60, "max_over_time(sum(c)[50s:10s])", `{} 75`},
		{65, "count_over_time(c{i='1'}[1m:20s])", `{i="1"} 3`}, // at 20, 40 and 60
		{60, "count_over_time(c{i='1'}[1m:20s])", `{i="1"} 3`}, // left-open
		{65, "count_over_time(c{i='1'}[2m:])", `{i="1"} 1`},    // a minute, if nothing is said
		{60, "sum_over_time(c{i='1'}[20s:10s] offset 10s)", `{i="1"} 70`},
		{60, "c{i='1'} @ 30", `c{i="1"} 20`},
		{60, "c{i='1'} offset 10s @ 30", `c{i="1"} 10`},
		{60, "c{i='1'} @ end() - c @ start()", `{i="1"} 0`},
		{60, "label_replace(c, 'j', '$1-x', 'i', '(1)')", `c{i="1",j="1-x"} 50; c{i="2"} 25`},
		{60, "label_join(c{i='1'}, 'j', '+', 'i', 'nope', 'i')", `c{i="1",j="1++1"} 50`},
		{65, "timestamp(c{i='1'})", `{i="1"} 60`},
		{65, "timestamp(c{i='1'} + 0)", `{i="1"} 65`},
		{60, "deriv(c{i='1'}[1m])", `{i="1"} 1`},
		{60, "predict_linear(c{i='1'}[1m], 10)", `{i="1"} 60`},
		{60, "stdvar_over_time(c{i='1'}[20s])", `{i="1"} 25`},
		{60, "absent_over_time(nope{a='b'}[1m])", `{a="b"} 1`},
		{60, "absent_over_time(c[1m])", ``},
		{60, "sort_desc(g or c)", `c{i="2"} 25; g{i="1"} 6`},
		{60, "hour(vector(7200)) + minute(vector(60)) + day_of_week() + days_in_month() + year()", `{} 2008`},
		{60, "pi() > bool 3.14", `{} 1`},
		{60, "deg(vector(pi())) atan2 vector(180)", `{} 0.7853981633974483`},
		{60, "sum by (i,) (c{i='1',})", `{i="1"} 50`}, // labels may end in a comma, arguments may not
		{60, "{'c', \"i\"=\"1\"}", `c{i="1"} 50`},
		{60, "c{i='1'} offset - -10s + +1_0", `{i="1"} 50`},
		{60, "or or by or offset or c", `c{i="1"} 50; c{i="2"} 25`}, // words that name metrics
		{60, `{i="1", "c"}`, `c{i="1"} 50`},
		{60, "sum by ('inf') (c)", `{} 75`},
		{60, "c{i=`1`}", `c{i="1"} 50`},
		{60, "c{i!=`\\d`,i!=`2`}", `c{i="1"} 50`},
		{60, "c{'a:b'='', i='2'}", `c{i="2"} 25`},
		{60, "1e-1 + 1e+1 + 2e1-1", `{} 29.1`},
		{60, "0xe+1", `{} 15`}, // no exponent
		{60, strings.Repeat("(1)+", 400) + "(1)", `{} 401`},
		{60, "c # all of it", `c{i="1"} 50; c{i="2"} 25`},
		{60, `{__name__=~"c|g", i="1"}`, `c{i="1"} 50; g{i="1"} 6`},
	} {
		got, err := eval(t, st, test.expr, test.at)
		require.NoError(t, err, test.expr)
		require.Equal(t, test.want, got, "%s at %d", test.expr, test.at)
	}
}

func TestEvaluationErrors(t *testing.T) {
	st := load(t, "a{i=1,j=1} 1", "a{i=1,j=2} 2", "b{i=1} 3", "c{i=1,j=1} 3")
	for expr, want := range map[string]string{
		"a + on (i) b":                        "many-to-one",
		"b + on (i) a":                        "many-to-many",
		"-{__name__=~'a|c'}":                  "same labelset",
		"b * on (i) group_left a":             "many-to-many",
		"label_replace(a, 'j', '', '', '')":   "same labelset",
		"label_replace(a, 'j', '', 'j', '(')": "invalid regular expression in label_replace(): (",
		"label_replace(a, '', '', 'j', '')":   "invalid destination label name in label_replace(): ",
		"label_join(a, 'j', '', '')":          "invalid source label name in label_join(): ",
		"label_join(a, '', '')":               "invalid destination label name in label_join(): ",
		"count_values('', a)":                 "invalid label name",
		"topk(NaN, a)":                        "is NaN",
		"topk(1e300, a)":                      "overflows int64",
		"a * on (i) group_left (j) b":         "group_left does not keep them apart",
		"-{__name__=~'a|c', j='1'}":           "same labelset", // two names, one set of labels
		"label_join(a, 'j', '')":              "same labelset",
		"label_join(topk(NaN, a), 'j', '')":   "is NaN",
	} {
		_, err := eval(t, st, expr, 10)
		require.ErrorContains(t, err, want, expr)
	}
}

// What is not evaluated is refused by name, and mistakes say where.
func TestRefusals(t *testing.T) {
	for expr, want := range map[string]string{
		"":                            "unexpected \"the end\"",
		"a +":                         "at character 4: unexpected \"the end\"",
		"histogramquantile(1, a)":     "the function histogramquantile is not evaluated here; did you mean histogram_quantile?",
		"limitk(3, a)":                "the aggregation limitk is not evaluated here",
		"topk(a)":                     "topk takes one instant vector after a scalar",
		"count_values(1, a)":          "count_values takes one instant vector after a string",
		"label_replace(a)":            "label_replace takes 5 arguments, has 1",
		"label_join(a, 'b')":          "label_join takes 4 arguments, has 2",
		"label_join(a, 'b', c)":       "argument 3 of label_join: want a string, have an instant vector",
		"sort_by_label(a, 'b')":       "the function sort_by_label is not evaluated here",
		"rate((a)[5m])":               "a range goes after a selector",
		"a offset 1m [5m]":            "a range goes after a selector, once, and before offset and @",
		"a[5m][5m]":                   "a range goes after a selector, once",
		"rate(a[5m:0s])":              "a step must be longer than 0",
		"rate(a[5m:1m:1m])":           "want \"]\"",
		"rate(a[5m:1m])[5m]":          "a range goes after a selector",
		"rate(1[5m:1m])":              "a subquery is only of an instant vector, not of a scalar",
		"rate(a[5m][5m:1m])":          "a subquery is only of an instant vector, not of a range vector",
		"a @ 10 @ 20":                 "once",
		"sum(a) @ 10":                 "@ goes after a selector or a subquery",
		"(a) @ 10":                    "@ goes after a selector or a subquery",
		"a @ b":                       "want an instant in seconds, start() or end(), have \"b\"",
		"a @ Inf":                     "out of bounds",
		"a @ start":                   "want \"(\"",
		"a * group_left b":            "group_left goes after on or ignoring",
		"a and on (i) group_left b":   "group_left does not go with \"and\"",
		"a * on (i) group_left(i) b":  "a label of on cannot be one of group_left",
		"a * on (i) fill(0) b":        "fill is not evaluated here",
		"'text'":                      "a string is only the argument of a function",
		"a + 'text'":                  "does not take a string",
		"-'text'":                     "does not take a string",
		"-a[5m]":                      "does not take a range vector",
		"a[5m]":                       "a range vector is only the argument",
		"rate(a)":                     "argument 1 of rate: want a range vector, have an instant vector",
		"rate(a[5m], 1)":              "rate takes 1 arguments, has 2",
		"sum(a, b)":                   "sum takes one instant vector",
		"quantile(a)":                 "quantile takes one instant vector after a scalar",
		"1 > 2":                       "needs bool",
		"a + bool b":                  "bool goes with comparisons",
		"1 and a":                     "does not take a scalar",
		"a + on (1) b":                "want the name of a label, have \"1\"",
		"a + ignoring (1) b":          "want the name of a label, have \"1\"",
		"a * on (i) group_left (1) b": "want the name of a label, have \"1\"",
		"a + on (i) 1":                "between two vectors only",
		"a[5m] + 1":                   "does not take a range vector",
		"{}":                          "a matcher that does not match the empty string",
		`{a=~".*"}`:                   "a matcher that does not match the empty string",
		`a{__name__="b"}`:             "given twice",
		`a{b=~"("}`:                   "missing closing )",
		`a{b="c}`:                     "a string without an end",
		`a{b=="c"}`:                   "unknown comparison",
		"a[0s]":                       "longer than 0",
		"a[0]":                        "longer than 0",
		"a[9223372037]":               `want a duration such as 5m, have "9223372037"`,
		"a[1e10]":                     "want a duration such as 5m",
		"a{b=`c":                      "a string without an end",
		"sum by (Inf) (a)":            `want the name of a label, have "Inf"`,
		"sum by (nan) (a)":            `want the name of a label, have "nan"`,
		`{"c", "d"}`:                  `the metric's name is given twice, the second time as "d"`,
		"a{b:c='d'}":                  `want the name of a label, have "b:c"`,
		"a[5x]":                       `"5x" is neither a number nor a duration`,
		"a offset 5m offset 5m":       "once",
		"sum by (a) (b) by (c)":       "grouped twice",
		"a $ b":                       "unexpected character '$'",
		"a b":                         "unexpected \"b\"",
		"(a":                          "want \")\"",
		"bool":                        "unexpected \"bool\"",
		"sum(c,)":                     "at character 7: unexpected \")\"",
		"round(c, 1,)":                "unexpected \")\"",
		"quantile by (a,) (0.5, c, )": "unexpected \")\"",
		"time(,)":                     "unexpected \",\"",
		"c{,}":                        "want the name of a label, have \",\"",
		"rate(c[#x\n5m])":             "unexpected character '#'",
		"rate(c[1m+1m])":              "arithmetic of durations is not evaluated here",
		"c offset (1m)":               "arithmetic of durations is not evaluated here",
		"c anchored":                  "anchored is not evaluated here",
		strings.Repeat("(", 300) + "a" + strings.Repeat(")", 300): "nested deeper than",
	} {
		_, err := query.Parse(expr)
		require.ErrorContains(t, err, want, expr)
		var syntax *query.SyntaxError
		require.ErrorAs(t, err, &syntax)
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1d2h": 26 * time.Hour, "1w": 7 * 24 * time.Hour, "100ms": 100 * time.Millisecond,
	} {
		got, err := query.ParseDuration(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", "5", "m", "5m1h", "5m5m", "1.5h", "-5m", "300y", "99999999999999999999s"} {
		_, err := query.ParseDuration(bad)
		require.Error(t, err, bad)
	}
}

func TestHideReal(t *testing.T) {
	st := load(t, "real_heap_bytes 5", "heap 6")
	e, err := query.Parse(`{__name__=~".*heap.*"}`)
	require.NoError(t, err)
	e.HideReal = true
	r, err := e.Eval(st, 10*second)
	require.NoError(t, err)
	require.Len(t, r.Points, 1)
	require.Equal(t, "heap", r.Points[0].Labels.Name())
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a", "sum by (a) (rate(b{c=~'d'}[5m] offset 1h)) > bool 0.5e3 and on (x) y", "-2^-3", "quantile(0.9, a)", "{a!~\"\"}", "a[5m", "'\\x"} {
		f.Add(s)
	}
	st := load(f, "a{i=1} 1 2 3", "b{c=d} 1 _ NaN")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := query.Parse(text)
		if err != nil {
			return
		}
		_, _ = e.Eval(st, 30*second)
	})
}
