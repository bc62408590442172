package query

import (
	"container/heap"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/common/model"
)

// ranked evaluates topk and bottomk: the k highest or lowest elements of each group, as
// they are, the best first. Of elements that are equal the heap decides, as in Prometheus.
func (a *aggregation) ranked(in []Point, param float64) (value, error) {
	switch { // all of this also where there are no elements, as in Prometheus
	case param < 1:
		return value{}, nil
	case math.IsNaN(param):
		return value{}, fmt.Errorf("the parameter of %s is NaN", a.op)
	case param >= math.MaxInt64:
		return value{}, fmt.Errorf("the parameter of %s, %v, overflows int64", a.op, param)
	}
	k := int(min(int64(param), int64(len(in))))
	groups := map[string]*ranking{}
	var order []*ranking
	for _, p := range in {
		key := a.groupLabels(p.Labels).Key()
		g, ok := groups[key]
		if !ok {
			g = &ranking{top: a.op == "topk"}
			groups[key] = g
			order = append(order, g)
		}
		g.offer(p, k)
	}
	var out []Point
	for _, g := range order {
		slices.SortStableFunc(g.points, func(x, y Point) int {
			switch {
			case g.below(y.Value, x.Value):
				return -1
			case g.below(x.Value, y.Value):
				return 1
			}
			return 0
		})
		out = append(out, g.points...)
	}
	return value{vector: out}, nil
}

// A ranking is a heap of the best elements of one group, with the worst of them on top.
type ranking struct {
	top    bool // the highest are the best
	points []Point
}

// below reports whether x is worse than y; NaN is the worst.
func (g *ranking) below(x, y float64) bool {
	switch {
	case math.IsNaN(x):
		return true
	case g.top:
		return x < y
	}
	return x > y
}

// offer takes an element if there is a place for it, or in the place of a worse one.
func (g *ranking) offer(p Point, k int) {
	if len(g.points) < k {
		heap.Push(g, p)
		return
	}
	worst := g.points[0].Value
	better := g.top && worst < p.Value || !g.top && worst > p.Value
	if better || math.IsNaN(worst) && !math.IsNaN(p.Value) {
		g.points[0] = p
		heap.Fix(g, 0)
	}
}

// Len implements heap.Interface.
func (g *ranking) Len() int { return len(g.points) }

// Less implements heap.Interface.
func (g *ranking) Less(i, j int) bool { return g.below(g.points[i].Value, g.points[j].Value) }

// Swap implements heap.Interface.
func (g *ranking) Swap(i, j int) { g.points[i], g.points[j] = g.points[j], g.points[i] }

// Push implements heap.Interface.
func (g *ranking) Push(x any) { g.points = append(g.points, x.(Point)) }

// Pop implements heap.Interface.
func (g *ranking) Pop() any {
	last := g.points[len(g.points)-1]
	g.points = g.points[:len(g.points)-1]
	return last
}

// countValues counts the elements of each group that have the same value, which becomes
// the label.
func (a *aggregation) countValues(in []Point, label string) (value, error) {
	if !model.UTF8Validation.IsValidLabelName(label) {
		return value{}, fmt.Errorf("invalid label name %q", label)
	}
	counts := map[string]int{}
	var out []Point
	for _, p := range in {
		text := strconv.FormatFloat(p.Value, 'f', -1, 64)
		labels := a.groupLabels(p.Labels).With(label, text)
		key := labels.Key()
		i, ok := counts[key]
		if !ok {
			i = len(out)
			counts[key] = i
			out = append(out, Point{labels, 0, p.place})
		}
		out[i].Value++
	}
	return value{vector: out}, nil
}
