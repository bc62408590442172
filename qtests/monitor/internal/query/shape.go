package query

import "slices"

// A Shape is what the text of an expression says about the labels of its result, without
// the metric's name: where it is closed, an element has no others than Labels; else it may
// have any, but none of Labels.
type Shape struct {
	Closed bool
	Labels []string
}

// Shape returns the labels that the elements of the result may have.
func (e *Expr) Shape() Shape { return shapeOf(e.root) }

// MayHave reports whether an element may have the label.
func (s Shape) MayHave(label string) bool { return slices.Contains(s.Labels, label) == s.Closed }

func (s Shape) with(labels ...string) Shape {
	for _, l := range labels {
		if i := slices.Index(s.Labels, l); (i >= 0) != s.Closed {
			if s.Closed {
				s.Labels = append(slices.Clone(s.Labels), l)
			} else {
				s.Labels = slices.Delete(slices.Clone(s.Labels), i, i+1)
			}
		}
	}
	return s
}

func (s Shape) without(labels ...string) Shape {
	s.Closed = !s.Closed
	s = s.with(labels...)
	s.Closed = !s.Closed
	return s
}

// only keeps no more than the labels.
func (s Shape) only(labels []string) Shape {
	return Shape{Closed: true, Labels: slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return !s.MayHave(l) })}
}

// or is the shape of elements that have the one or the other.
func (s Shape) or(x Shape) Shape {
	if s.Closed && !x.Closed {
		s, x = x, s
	}
	if x.Closed {
		return s.with(x.Labels...)
	}
	return Shape{Labels: slices.DeleteFunc(slices.Clone(s.Labels), x.MayHave)}
}

func shapeOf(n node) Shape {
	switch n := n.(type) {
	case *paren:
		return shapeOf(n.node)
	case *unary:
		return shapeOf(n.arg)
	case *subquery:
		return shapeOf(n.arg)
	case *selector:
		return Shape{}
	case *binary:
		return n.shape()
	case *aggregation:
		return n.shape()
	case *call:
		return n.shape()
	}
	return Shape{Closed: true}
}

func (b *binary) shape() Shape {
	lhs, rhs := shapeOf(b.lhs), shapeOf(b.rhs)
	switch {
	case b.lhs.typ() == Scalar:
		return rhs
	case b.rhs.typ() == Scalar || b.op == "and" || b.op == "unless":
		return lhs
	case b.op == "or":
		return lhs.or(rhs)
	case b.matching.many == "group_left":
		return lhs.with(b.matching.include...)
	case b.matching.many == "group_right":
		return rhs.with(b.matching.include...)
	case b.matching.on:
		return lhs.only(b.matching.labels)
	}
	return lhs.without(b.matching.labels...)
}

func (a *aggregation) shape() Shape {
	s := shapeOf(a.arg)
	switch {
	case a.op == "topk" || a.op == "bottomk":
		return s
	case a.without:
		s = s.without(a.labels...)
	default:
		s = s.only(a.labels)
	}
	if t, ok := bare(a.param).(text); ok {
		s = s.with(string(t))
	}
	return s
}

func (c *call) shape() Shape {
	switch c.name {
	case "absent", "absent_over_time":
		return Shape{Closed: true, Labels: told(c.args[0])}
	case "label_replace", "label_join":
		if dst, ok := bare(c.args[1]).(text); ok {
			return shapeOf(c.args[0]).with(string(dst))
		}
	case "histogram_quantile":
		return shapeOf(c.args[1]).without("le")
	case "vector", "time", "scalar", "pi":
		return Shape{Closed: true}
	}
	for _, arg := range c.args {
		if t := arg.typ(); t == Vector || t == Matrix {
			return shapeOf(arg)
		}
	}
	return Shape{Closed: true}
}

// told returns the labels that absent takes from its selector.
func told(n node) (labels []string) {
	for _, l := range missing(n).vector[0].Labels {
		labels = append(labels, l.Name)
	}
	return labels
}
