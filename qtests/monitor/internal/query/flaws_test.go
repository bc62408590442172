package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

func parse(t *testing.T, text string) *query.Expr {
	e, err := query.Parse(text)
	require.NoError(t, err, text)
	return e
}

// A condition that always holds while its series are there is no condition.
func TestFilters(t *testing.T) {
	recorded := func(s query.Selector) bool { return s.Name() == "job:low" }
	for text, want := range map[string]bool{
		"a": false, "a > 1": true, "a > bool 1": false, "-(a > 1)": true, "sum(a > 1)": true, "sum(a)": false, "a and b": true, "a unless b": true,
		"a or b": false, "a > 1 or b": false, "a > 1 or b < 1": true, "a + b": false, "a + (b > 1)": true, "(a > 1) + b": true,
		"absent(a)": true, "absent_over_time(a[1m])": true, "vector(1)": true, "abs(a)": false, "abs(a > 1)": true, "abs(a and b)": true,
		"max_over_time((a > 1)[1m:10s])": true, "max_over_time(a[1m:10s])": false, "ALERTS": true, "ALERTS_FOR_STATE": true, "alerts": false, "job:low": true, "1": false,
	} {
		assert.Equal(t, want, parse(t, text).Filters(recorded), text)
	}
}

func TestAbsents(t *testing.T) {
	require.Equal(t, []query.Absent{{Text: `absent(a{b="c"})`, Labels: []string{"b"}}, {Text: `absent_over_time(d{e="f",g!="h"}[1m])`, Labels: []string{"e"}}},
		parse(t, `absent(a{b="c"}) or sum(absent_over_time(d{e="f",g!="h"}[1m])) or abs(x)`).Absents())
}

// Buckets without le are none.
func TestNoBuckets(t *testing.T) {
	for text, want := range map[string]bool{
		"histogram_quantile(0.9, sum(rate(x_bucket[1m])))":          true,
		"histogram_quantile(0.9, sum by (le) (rate(x_bucket[1m])))": false,
		"histogram_quantile(0.9, sum without (le) (x_bucket))":      true,
		"histogram_quantile(0.9, sum without (a) (x_bucket))":       false,
		"histogram_quantile(0.9, sum(rate(x[1m])))":                 false, // a native histogram
		"histogram_quantile(0.9, x_bucket)":                         false,
		"sum(x_bucket)":                                             false,
	} {
		var all []string
		if want {
			all = []string{text}
		}
		assert.Equal(t, all, parse(t, text).NoBuckets(), text)
	}
}

func TestNeverPaired(t *testing.T) {
	for text, want := range map[string]string{
		"a + b":                                  "",
		"sum(a) + b":                             "", // b may have no labels
		"sum(a) + sum(b)":                        "",
		"sum by (x) (a) + sum(b)":                `"+" pairs elements by the label x, which only the left side may have`,
		"sum(a) + sum by (x) (b)":                `"+" pairs elements by the label x, which only the right side may have`,
		"sum by (x) (a) and sum by (y) (b)":      `"and" pairs elements by the label x, which only the left side may have; "and" pairs elements by the label y, which only the right side may have`,
		"sum by (x) (a) or sum by (y) (b)":       "",
		"sum by (x) (a) + 1":                     "",
		"1 + sum by (x) (a)":                     "",
		"sum by (x) (a) + ignoring(x) sum(b)":    "",
		"sum by (x, y) (a) + ignoring(x) sum(b)": `"+" pairs elements by the label y, which only the left side may have`,
		"a + on(x) sum(b)":                       `"+" pairs elements by the label x, which only the left side may have`,
		"sum without (x) (a) + on(x) b":          `"+" pairs elements by the label x, which only the right side may have`,
		"sum without (x) (a) + on(x) sum(b)":     "",
		"a + on(x) b":                            "",
	} {
		assert.Equal(t, want, strings.Join(parse(t, text).NeverPaired(), "; "), text)
	}
}

// What the labels of a result may be: those of a list alone, or all but those of a list.
func TestShape(t *testing.T) {
	for text, want := range map[string]string{
		"a": "all but []", "sum(a)": "[]", "sum by (x, y) (a)": "[x y]", "sum without (x) (a)": "all but [x]", "sum by (x) (sum by (y) (a))": "[]",
		"sum without (x) (sum by (x, y) (a))": "[y]", "sum by (x) (sum without (x) (a))": "[]", "sum without (y) (sum without (x) (a))": "all but [x y]",
		"count_values('v', a)": "[v]", "count_values('x', sum without (x) (a)) by (y)": "[y x]", "-sum by (x) (a)": "[x]", "(sum by (x) (a))": "[x]",
		"absent(a{x='1'})": "[x]", "label_replace(sum(a), 'x', '', '', '')": "[x]", "label_join(sum without (x) (a), 'x', '')": "all but []",
		"label_replace(sum by (x) (a), 'x', '', '', '')": "[x]", "label_replace(a, 'x', '', '', '')": "all but []",
		"histogram_quantile(0.5, a)": "all but [le]", "histogram_quantile(0.5, sum by (le, x) (a))": "[x]", "vector(1)": "[]", "time()": "[]", "abs(sum by (x) (a))": "[x]",
		"rate(a[1m])": "all but []", "max_over_time(sum by (x) (a)[1m:])": "[x]", "quantile_over_time(0.5, sum by (x) (a)[1m:])": "[x]", "round(sum by (x) (a), 2)": "[x]", "hour()": "[]",
		"sum by (x) (a) or sum by (y) (b)": "[x y]", "sum by (x) (a) or b": "all but []", "b or sum by (x) (a)": "all but []",
		"sum without (x, y) (a) or sum by (y) (b)": "all but [x]", "sum by (y) (b) or sum without (x, y) (a)": "all but [x]", "sum without (x, y) (a) or sum without (y, z) (b)": "all but [y]",
	} {
		s := parse(t, text).Shape()
		got := fmt.Sprint(s.Labels)
		if !s.Closed {
			got = "all but " + got
		}
		assert.Equal(t, want, got, text)
	}
	closed, open := query.Shape{Closed: true, Labels: []string{"x"}}, query.Shape{Labels: []string{"x"}}
	require.Equal(t, []bool{true, false, false, true}, []bool{closed.MayHave("x"), closed.MayHave("y"), open.MayHave("x"), open.MayHave("y")})
}

// The left side of a comparison with a number has a value also while the condition does not hold.
func TestLeft(t *testing.T) {
	st := load(t, "a 1", "b 2")
	for text, want := range map[string]string{
		"a > 3": "a 1", "(a > 3)": "a 1", "a + 1 > 3": "{} 2", "a > bool 3": "{} 0", "3 < a": "", "a > b": "", "a + 1": "{} 2", "1 > bool 3": "{} 0", "a": "a 1",
	} {
		r, err := parse(t, text).Left().Eval(st, 10*second)
		require.NoError(t, err)
		var out []string
		for _, p := range r.Points {
			out = append(out, fmt.Sprintf("%s %v", p.Labels, p.Value))
		}
		assert.Equal(t, want, strings.Join(out, "; "), text)
	}
}
