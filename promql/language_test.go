package promql_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// words cuts an expression into pieces, roughly as PromQL does.
var words = regexp.MustCompile(`"[^"]*"|[a-zA-Z_:0-9.]+|[=!]~|[=!<>]=|\s+|.`)

// mutated changes an expression a little: a piece goes, comes twice, changes its place or
// is another.
func mutated(r *rand.Rand, expr string) string {
	w := words.FindAllString(expr, -1)
	for range 1 + r.IntN(2) {
		i, j := r.IntN(len(w)), r.IntN(len(w))
		switch r.IntN(6) {
		case 0:
			w = slices.Delete(w, i, i+1)
		case 1:
			w = slices.Insert(w, i, w[j])
		case 2:
			w[i], w[j] = w[j], w[i]
		default:
			w = slices.Insert(w, i, pick(r, ",", "(", ")", "{", "}", "[5m]", "[5m:1m]", "[:]", `"a"`, `"__name__"`, "'b'", "a", "by", "on", "bool", "sum", "offset", "-",
				"+", "@", "1", "5m", "or", "group_left", "ignoring ()", "without", "{}", "[", "]", "=", "==", "0x1f", "1e3", ":", "a:b", "end()", "start()", "atan2", "NaN",
				"inf", "#x\n", "quantile", "topk", "count_values", "time()", "`c`", ".5", "5.", "_", "1_000", "1h30m", "1m1h", "6ms", "-1s", "# ", "limitk", "anchored"))
		}
		if len(w) == 0 {
			return ""
		}
	}
	return strings.Join(w, "")
}

// own reads an expression with the monitor's reader, as the expression of a rule.
func own(expr string) error {
	m, err := monitor.New(monitor.Config{Disabled: true, Rules: []monitor.Rule{{Name: "A", Expr: expr}}})
	if err == nil {
		m.Close()
	}
	return err
}

// theirs reads an expression with Prometheus' parser, as the expression of a rule.
func theirs(expr string) error {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err == nil && parsed.Type() != parser.ValueTypeVector && parsed.Type() != parser.ValueTypeScalar {
		return errNoRule
	}
	return err
}

// What the monitor's reader takes, Prometheus takes; what it refuses and Prometheus
// takes, it says that it does not evaluate.
func TestNoExpressionIsReadThatPrometheusRefuses(t *testing.T) {
	accepted, refused, unknown := 0, 0, map[string]int{}
	for n := range uint64(20_000 * max(1, stress())) {
		r := rand.New(rand.NewPCG(n, 3))
		expr := mutated(r, randomExpr(r))
		ours, prom := own(expr), theirs(expr)
		switch {
		case ours == nil && prom != nil:
			t.Errorf("case %d: %q is read, and Prometheus says %v", n, expr, prom)
		case ours == nil:
			accepted++
		case prom != nil:
			refused++
		case strings.Contains(ours.Error(), "not evaluated here"):
			unknown[ours.Error()[strings.LastIndex(ours.Error(), ": ")+2:]]++
		default:
			t.Errorf("case %d: %q is refused with %v, and Prometheus reads it", n, expr, ours)
		}
	}
	t.Logf("%d read by both, %d by neither, not evaluated: %v", accepted, refused, unknown)
	require.Greater(t, accepted, 2000)
	require.Greater(t, refused, 2000)
}

// title is the one template function that Prometheus takes from a library which is not
// there.
func TestTitleIsPrometheus(t *testing.T) {
	texts := []string{"", "héllo wörld", "don't stop", "3com", "foo_bar-baz", "a.b.c", "it''s", "ÉCOLE", "x:y", "a,b", "1a 2b", "é", "日本 go", "'quoted' words"}
	for r := range rune(128) {
		texts = append(texts, "ab"+string(r)+"cd", string(r)+"cd", "1"+string(r)+"cd")
	}
	qtests.Run(t, func(q *qtests.T) {
		for _, text := range texts {
			m, err := monitor.New(monitor.Config{Clock: q.Clock(), Disabled: true, Rules: []monitor.Rule{{Name: "A", Expr: "vector(1)", Summary: "{{ title $externalLabels.x }}"}},
				ExternalLabels: map[string]string{"x": text}})
			require.NoError(q, err)
			require.NoError(q, m.Scrape())
			require.Equal(q, cases.Title(language.AmericanEnglish, cases.NoLower).String(text), m.Alerts()[0].Annotations["summary"], "title of %q", text)
			m.Close()
		}
	})
}

var errNoRule = errors.New("no expression of a rule")
