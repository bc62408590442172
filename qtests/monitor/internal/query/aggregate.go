package query

import (
	"math"
	"slices"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// aggregations says of each of PromQL's whether it is evaluated.
var aggregations = map[string]string{
	"sum": "ok", "avg": "ok", "min": "ok", "max": "ok", "count": "ok", "group": "ok",
	"stddev": "ok", "stdvar": "ok", "quantile": "ok",
	"topk": "ok", "bottomk": "ok", "count_values": "ok", "limitk": "refused", "limit_ratio": "refused",
}

// A group is one element of an aggregation in the making.
type group struct {
	began  int64 // the evaluation that began it last
	labels history.Labels
	place  int
	count  float64
	mean   mean
	value  float64 // of min and max; the sum of squared deviations
	center float64 // of stddev and stdvar
	all    []float64
}

func (a *aggregation) eval(ev *evaluation) (value, error) { return a.shared.eval(ev, a) }

func (a *aggregation) compute(ev *evaluation) (value, error) {
	in, err := a.arg.eval(ev)
	if err != nil {
		return value{}, err
	}
	var param value
	if a.param != nil {
		if param, err = a.param.eval(ev); err != nil {
			return value{}, err
		}
	}
	switch a.op {
	case "topk", "bottomk":
		return a.ranked(in.vector, param.scalar)
	case "count_values":
		return a.countValues(in.vector, param.text)
	}
	out := ev.vector(len(in.vector))
	for _, g := range a.grouped(in.vector) {
		out = append(out, Point{g.labels, g.result(a.op, param.scalar), g.place})
	}
	return value{vector: out}, nil
}

// grouped adds the elements to their groups, which are in the order of their first elements.
func (a *aggregation) grouped(in []Point) []*group {
	if len(a.groups) >= history.MaxDerived {
		a.groups, a.groupOf = nil, history.Derived[*group]{}
	}
	a.evaluations++
	a.order = a.order[:0]
	for _, p := range in {
		g := a.group(p.Labels)
		if g.began != a.evaluations {
			*g = group{began: a.evaluations, labels: g.labels, place: p.place, all: g.all[:0]}
			a.order = append(a.order, g)
		}
		g.place = min(g.place, p.place)
		g.add(a.op, p.Value)
	}
	return a.order
}

// group returns the group of an element.
func (a *aggregation) group(ls history.Labels) *group {
	return a.groupOf.Of(ls, func(ls history.Labels) *group {
		labels := a.groupLabels(ls)
		key := labels.Key()
		g, ok := a.groups[key]
		if !ok {
			if a.groups == nil {
				a.groups = map[string]*group{}
			}
			g = &group{labels: labels}
			a.groups[key] = g
		}
		return g
	})
}

func (a *aggregation) groupLabels(ls history.Labels) history.Labels {
	switch {
	case a.without:
		return dropName(ls).Without(a.labels...)
	case len(a.labels) == 0:
		return nil
	}
	return ls.Only(a.labels...)
}

func (g *group) add(op string, v float64) {
	g.count++
	first := g.count == 1
	switch op {
	case "sum", "avg":
		g.mean.add(v)
	case "max":
		if first || g.value < v || math.IsNaN(g.value) {
			g.value = v
		}
	case "min":
		if first || g.value > v || math.IsNaN(g.value) {
			g.value = v
		}
	case "stddev", "stdvar": // Welford's recurrence
		if first {
			g.center = v
			if math.IsNaN(v) || math.IsInf(v, 0) {
				g.value = math.NaN()
			}
			return
		}
		delta := v - g.center
		g.center += delta / g.count
		g.value += delta * (v - g.center)
	case "quantile":
		g.all = append(g.all, v)
	}
}

func (g *group) result(op string, q float64) float64 {
	switch op {
	case "sum":
		return g.mean.total()
	case "avg":
		return g.mean.result()
	case "count":
		return g.count
	case "group":
		return 1
	case "stdvar":
		return g.value / g.count
	case "stddev":
		return math.Sqrt(g.value / g.count)
	case "quantile":
		return quantile(q, g.all)
	}
	return g.value
}

// A mean is a compensated sum (Kahan's, with Neumaier's improvement) that turns
// into an incremental mean where the sum would overflow: the way in which
// Prometheus sums and averages, so that results have the same bits.
type mean struct {
	count       float64
	sum, c      float64
	mean        float64
	incremental bool
}

func (m *mean) add(v float64) {
	m.count++
	if m.count == 1 {
		m.sum, m.mean = v, v
		return
	}
	sum, c := kahan(v, m.sum, m.c)
	if !m.incremental {
		if !math.IsInf(sum, 0) {
			m.sum, m.c = sum, c
			return
		}
		m.incremental = true
		m.mean = m.sum / (m.count - 1)
		m.sum = sum
		m.c /= m.count - 1
	} else {
		m.sum, _ = kahan(v, m.sum, 0)
	}
	q := (m.count - 1) / m.count
	m.mean, m.c = kahan(v/m.count, q*m.mean, q*m.c)
}

func meanOf(values []float64) (m mean) {
	for _, v := range values {
		m.add(v)
	}
	return m
}

func (m *mean) total() float64 {
	if m.incremental {
		return m.sum
	}
	return m.sum + m.c
}

func (m *mean) result() float64 {
	if m.incremental {
		return m.mean + m.c
	}
	return m.sum/m.count + m.c/m.count
}

func kahan(v, sum, c float64) (newSum, newC float64) {
	v, sum, c = float64(v), float64(sum), float64(c) // so that nothing is fused with what the caller calculated
	t := sum + v
	switch {
	case math.IsInf(t, 0):
		c = 0
	case math.Abs(sum) >= math.Abs(v):
		c += (sum - t) + v
	default:
		c += (v - t) + sum
	}
	return t, c
}

// quantile interpolates between the two nearest ranks; NaN sorts first.
func quantile(q float64, values []float64) float64 {
	switch {
	case len(values) == 0 || math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	slices.Sort(values) // orders NaN before everything else
	n := float64(len(values))
	rank := q * (n - 1)
	low := math.Max(0, math.Floor(rank))
	high := math.Min(n-1, low+1)
	weight := rank - math.Floor(rank)
	if weight == 0 {
		return values[int(low)]
	}
	return values[int(low)]*(1-weight) + values[int(high)]*weight
}
