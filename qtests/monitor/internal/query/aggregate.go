package query

import (
	"math"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// aggregations says of each of PromQL's whether it is evaluated.
var aggregations = map[string]string{
	"sum": "ok", "avg": "ok", "min": "ok", "max": "ok", "count": "ok", "group": "ok",
	"stddev": "ok", "stdvar": "ok", "quantile": "ok",
	"topk": "ok", "bottomk": "ok", "count_values": "ok", "limitk": "refused", "limit_ratio": "refused",
}

type aggregation struct {
	op      string
	param   node // of quantile, topk, bottomk and count_values
	arg     node
	without bool
	labels  []string
	// groupOf has the group of every label set seen, and groups those by their key.
	groupOf     history.Derived[*group]
	groups      map[string]*group
	order       []*group // of the last evaluation
	evaluations int64
	shared
}

func (*aggregation) typ() Type { return Vector }

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
