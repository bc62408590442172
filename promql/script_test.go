package promql_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/benbjohnson/clock"
	dto "github.com/prometheus/client_model/go"
)

// manual is a clock that stands where it is put. Its timers never fire, so that
// only Scrape scrapes.
type manual struct {
	clock.Clock
	now time.Time
}

func newManual() *manual { return &manual{clock.New(), time.Unix(1_000_000, 0)} }

func (m *manual) Now() time.Time                   { return m.now }
func (m *manual) Until(t time.Time) time.Duration  { return t.Sub(m.now) }
func (m *manual) Since(t time.Time) time.Duration  { return m.now.Sub(t) }
func (m *manual) Timer(time.Duration) *clock.Timer { return m.Clock.Timer(24 * time.Hour) }

// A scripted gatherer makes series up: gauges that walk, counters that reset,
// buckets, and gaps in all of them.
type scripted struct {
	r      *rand.Rand
	values map[string]float64
	gone   map[string]int // for how many scrapes more
	fails  int
}

var errScripted = errors.New("scripted failure")

func (s *scripted) Gather() ([]*dto.MetricFamily, error) {
	if s.fails > 0 {
		s.fails--
		return nil, errScripted
	}
	if s.r.IntN(40) == 0 {
		s.fails = s.r.IntN(8)
	}
	var out []*dto.MetricFamily
	for _, name := range []string{"c", "g", "h"} {
		f := &dto.MetricFamily{Name: &name, Type: dto.MetricType_UNTYPED.Enum()}
		for _, a := range []string{"1", "2"} {
			for _, b := range []string{"x", "y", "z"} {
				if m := s.metric(name, a, b); m != nil {
					f.Metric = append(f.Metric, m)
				}
			}
		}
		if len(f.Metric) > 0 {
			out = append(out, f)
		}
	}
	return out, nil
}

func (s *scripted) metric(name, a, b string) *dto.Metric {
	key := name + a + b
	if s.gone[key] > 0 {
		s.gone[key]--
		return nil
	}
	if s.r.IntN(30) == 0 {
		s.gone[key] = 1 + s.r.IntN(12)
	}
	la, lb := "a", "b"
	m := &dto.Metric{Label: []*dto.LabelPair{{Name: &la, Value: &a}, {Name: &lb, Value: &b}}}
	v := s.values[key]
	switch name {
	case "c":
		v += float64(s.r.IntN(7)) / 3
		if s.r.IntN(25) == 0 {
			v = float64(s.r.IntN(3))
		}
	case "g":
		v = math.Round(10*(v+s.r.NormFloat64())) / 10
		switch s.r.IntN(60) {
		case 0:
			v = math.Inf(1)
		case 1:
			v = math.NaN()
		}
		defer func() {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				s.values[key] = 0
			}
		}()
	case "h":
		return s.histogram(key, m)
	}
	s.values[key] = v
	m.Untyped = &dto.Untyped{Value: &v}
	return m
}

func (s *scripted) histogram(key string, m *dto.Metric) *dto.Metric {
	if s.r.IntN(30) == 0 {
		for i := range 4 {
			s.values[fmt.Sprint(key, i)] = 0
		}
	}
	h := &dto.Histogram{}
	total := uint64(0)
	for i, upper := range []float64{0.1, 1, 2.5, math.Inf(1)} {
		k := fmt.Sprint(key, i)
		s.values[k] += float64(s.r.IntN(4))
		total += uint64(s.values[k])
		count := total
		h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: &upper, CumulativeCount: &count})
	}
	sum := float64(total) * 0.7
	h.SampleCount, h.SampleSum = &total, &sum
	m.Histogram = h
	return m
}

// randomExpr makes an expression up that both readers evaluate.
func randomExpr(r *rand.Rand) string {
	e := vector(r, 3)
	if r.IntN(3) > 0 {
		e = fmt.Sprintf("(%s) %s %s", e, pick(r, ">", "<", ">=", "<=", "==", "!="), constant(r))
	}
	return e
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

func constant(r *rand.Rand) string {
	return pick(r, "0", "1", "0.5", "-1", "2", "3.25", "10", "NaN", "Inf", "-Inf", "1e-3")
}

func matchers(r *rand.Rand) string {
	var out []string
	for range r.IntN(3) {
		out = append(out, pick(r, `a="1"`, `a!="1"`, `b=~"x|y"`, `b!~"x.*"`, `b=""`, `c=""`, `a=~".+"`))
	}
	return "{" + strings.Join(out, ",") + "}"
}

func offset(r *rand.Rand) string {
	switch r.IntN(12) {
	case 0, 1:
		return " offset " + pick(r, "10s", "1m", "7m", "-30s")
	case 2:
		return pick(r, " @ 1000100", " @ 1000600.5", " @ start()", " offset 1m @ end()", " @ 1000300 offset 30s")
	}
	return ""
}

func vector(r *rand.Rand, depth int) string {
	name := pick(r, "c", "g", "h_bucket", "h_count", "h_sum", "up")
	if depth == 0 {
		return name + matchers(r) + offset(r)
	}
	sub := func() string { return vector(r, depth-1) }
	group := func() string {
		return pick(r, "", "by (a) ", "by (a, b) ", "without (a) ", "without (b, le) ", "by (c) ")
	}
	match := func() string { return pick(r, "", "", "on (a, b) ", "ignoring (le) ", "on (a) ", "ignoring (a, b) ") }
	if r.IntN(3) == 0 {
		return richer(r, depth)
	}
	switch r.IntN(13) {
	case 0, 1:
		return name + matchers(r) + offset(r)
	case 2, 3, 4:
		fn := pick(r, "rate", "increase", "delta", "irate", "idelta", "resets", "changes", "avg_over_time", "sum_over_time",
			"min_over_time", "max_over_time", "count_over_time", "last_over_time", "present_over_time")
		return fmt.Sprintf("%s(%s%s[%s]%s)", fn, name, matchers(r), pick(r, "30s", "1m", "95s", "5m", "20m"), offset(r))
	case 5:
		return fmt.Sprintf("quantile_over_time(%s, %s%s[%s])", pick(r, "0.5", "0.9", "2"), name, matchers(r), pick(r, "1m", "5m"))
	case 6, 7:
		return fmt.Sprintf("%s %s(%s)", pick(r, "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"), group(), sub())
	case 8:
		return fmt.Sprintf("quantile %s(%s, %s)", group(), pick(r, "0.25", "0.5", "1", "-1"), sub())
	case 9:
		return fmt.Sprintf("histogram_quantile(%s, sum by (%s) (%s(h_bucket%s[%s])))", pick(r, "0.5", "0.9", "0.99", "0", "1", "1.5"),
			pick(r, "le", "le, a", "a"), pick(r, "rate", "increase"), matchers(r), pick(r, "1m", "5m"))
	case 10:
		return fmt.Sprintf("%s(%s)", pick(r, "abs", "ceil", "floor", "exp", "sqrt", "sgn", "absent", "-", "round", "ln"), sub())
	case 11:
		return fmt.Sprintf("(%s) %s %s(%s)", sub(), pick(r, "+", "-", "*", "/", "%", "^", ">", "<= bool", "== bool", "and", "or", "unless"), match(), sub())
	default:
		return fmt.Sprintf("(%s) %s %s", sub(), pick(r, "+", "-", "*", "/", "%", "^", "> bool", "< bool"), constant(r))
	}
}

// richer makes up the joins, subqueries, rankings and functions that few rules need.
func richer(r *rand.Rand, depth int) string {
	sub := func() string { return vector(r, depth-1) }
	name := pick(r, "c", "g", "h_bucket", "h_count", "up")
	switch r.IntN(12) {
	case 0, 1:
		by := pick(r, "on (a, b)", "on (a)", "ignoring (le)", "ignoring (b)", "on ()")
		include := pick(r, "()", "(b)", "(le, c)", "(gatherer)", "()")
		if by == "on (a, b)" && include == "(b)" { // which Prometheus refuses
			include = "()"
		}
		return fmt.Sprintf("(%s) %s %s %s %s (%s)", sub(), pick(r, "+", "*", "/", "atan2", ">", "== bool"), by, pick(r, "group_left", "group_right"), include, sub())
	case 2, 3:
		return fmt.Sprintf("%s((%s)[%s:%s]%s)", pick(r, "max_over_time", "avg_over_time", "sum_over_time", "count_over_time", "last_over_time", "rate", "increase", "delta", "deriv",
			"changes", "stddev_over_time", "absent_over_time", "irate"), sub(), pick(r, "1m", "3m", "10m"), pick(r, "", "10s", "30s", "45s", "1m"), offset(r))
	case 4:
		arg := sub()
		for strings.Contains(arg, "count_values") { // Prometheus gives its elements in any order, and of equals the first count
			arg = sub()
		}
		return fmt.Sprintf("%s %s(%s, %s)", pick(r, "topk", "bottomk"), pick(r, "", "by (a) ", "without (b) "), pick(r, "1", "2", "4", "0", "-3", "1.9", "NaN", "scalar(c)"), arg)
	case 5:
		return fmt.Sprintf("count_values %s(%s, %s)", pick(r, "", "by (a) ", "without (b) ", "by (v)"), pick(r, `"v"`, `"a"`, `""`, `"é"`), sub())
	case 6:
		return fmt.Sprintf("label_replace(%s, %s, %s, %s, %s)", sub(), pick(r, `"n"`, `"a"`, `"__name__"`, `""`), pick(r, `"$1"`, `"x-$1$2"`, `""`, `"${n}"`),
			pick(r, `"a"`, `"b"`, `"nope"`, `"__name__"`), pick(r, `"(.*)"`, `"(1)"`, `""`, `"(?P<n>x|y)"`, `"("`))
	case 7:
		return fmt.Sprintf("label_join(%s, %s, %s, %s)", sub(), pick(r, `"n"`, `"a"`, `"__name__"`), pick(r, `"-"`, `""`), pick(r, `"a", "b"`, `"b"`, `"nope", "a", "a"`, `""`))
	case 8:
		return fmt.Sprintf("%s(%s%s[%s]%s)", pick(r, "deriv", "stddev_over_time", "stdvar_over_time", "absent_over_time"), name, matchers(r), pick(r, "30s", "1m", "5m"), offset(r))
	case 9:
		return fmt.Sprintf("predict_linear(%s%s[%s]%s, %s)", name, matchers(r), pick(r, "1m", "5m", "20m"), offset(r), pick(r, "3600", "-60", "NaN", "scalar(g)"))
	case 10:
		return fmt.Sprintf("timestamp(%s%s%s)", name, matchers(r), offset(r))
	default:
		return fmt.Sprintf("%s(%s)", pick(r, "timestamp", "sort", "sort_desc", "hour", "day_of_week", "days_in_month", "month", "year", "minute", "day_of_month", "day_of_year", "deg", "rad",
			"sin", "atan", "tanh", "acosh", "log2", "log10"), sub())
	}
}
