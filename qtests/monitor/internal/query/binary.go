package query

import (
	"fmt"
	"math"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

func (b *binary) eval(ev *evaluation) (value, error) {
	l, err := b.lhs.eval(ev)
	if err != nil {
		return value{}, err
	}
	r, err := b.rhs.eval(ev)
	if err != nil {
		return value{}, err
	}
	lt, rt := b.lhs.typ(), b.rhs.typ()
	switch {
	case lt == Scalar && rt == Scalar:
		v, keep := operate(b.op, l.scalar, r.scalar)
		if b.boolean {
			v = truth(keep)
		}
		return value{scalar: v}, nil
	case rt == Scalar:
		return b.withScalar(l.vector, r.scalar, false)
	case lt == Scalar:
		return b.withScalar(r.vector, l.scalar, true)
	case isSet(b.op):
		return b.set(l.vector, r.vector)
	}
	return b.vectors(l.vector, r.vector)
}

// operate applies an operator to two numbers. Of a comparison the value is the
// left one, and keep says whether it holds.
func operate(op string, l, r float64) (v float64, keep bool) {
	switch op {
	case "+":
		return l + r, true
	case "-":
		return l - r, true
	case "*":
		return l * r, true
	case "/":
		return l / r, true
	case "%":
		return math.Mod(l, r), true
	case "^":
		return math.Pow(l, r), true
	case "==":
		return l, l == r
	case "!=":
		return l, l != r
	case ">":
		return l, l > r
	case "<":
		return l, l < r
	case ">=":
		return l, l >= r
	default: // "<="
		return l, l <= r
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (b *binary) comparison() bool { return precedence(token{kind: b.op}) == 3 }

// dropsName reports whether the result is another quantity than the operands.
func (b *binary) dropsName() bool { return !b.comparison() || b.boolean }

func (b *binary) withScalar(vector []Point, scalar float64, scalarLeft bool) (value, error) {
	out := make([]Point, 0, len(vector))
	for _, p := range vector {
		l, r := p.Value, scalar
		if scalarLeft {
			l, r = r, l
		}
		v, keep := operate(b.op, l, r)
		switch {
		case b.boolean:
			v = truth(keep)
		case b.comparison():
			if !keep {
				continue
			}
			v = p.Value // also when the scalar is on the left
		}
		out = append(out, Point{p.Labels, v})
	}
	if b.dropsName() {
		return nameless(out)
	}
	return value{vector: out}, nil
}

// signature returns the labels by which two elements are paired.
func (m matching) signature(ls history.Labels) string {
	if m.on {
		return ls.Only(m.labels...).Key()
	}
	if len(m.labels) == 0 {
		return dropName(ls).Key()
	}
	return dropName(ls).Without(m.labels...).Key()
}

func (m matching) String() string {
	if m.on {
		return "on(" + strings.Join(m.labels, ", ") + ")"
	}
	return "ignoring(" + strings.Join(m.labels, ", ") + ")"
}

// vectors pairs two vectors one to one.
func (b *binary) vectors(lhs, rhs []Point) (value, error) {
	if len(lhs) == 0 || len(rhs) == 0 {
		return value{}, nil // before any duplicate is looked for, as Prometheus does
	}
	right := make(map[string]Point, len(rhs))
	for _, p := range rhs {
		key := b.matching.signature(p.Labels)
		if other, dup := right[key]; dup {
			return value{}, fmt.Errorf("many-to-many matching not allowed: %s and %s match the same elements %s", other.Labels, p.Labels, b.matching)
		}
		right[key] = p
	}
	matched := make(map[string]bool, len(lhs))
	var out []Point
	for _, p := range lhs {
		key := b.matching.signature(p.Labels)
		r, ok := right[key]
		if !ok {
			continue
		}
		if matched[key] {
			return value{}, fmt.Errorf("many-to-one matching not allowed: several elements on the left match %s %s", r.Labels, b.matching)
		}
		matched[key] = true
		v, keep := operate(b.op, p.Value, r.Value)
		if b.boolean {
			v, keep = truth(keep), true
		}
		if keep {
			out = append(out, Point{b.resultLabels(p.Labels), v})
		}
	}
	return value{vector: out}, nil
}

func (b *binary) resultLabels(ls history.Labels) history.Labels {
	if b.dropsName() {
		ls = dropName(ls)
	}
	switch {
	case b.matching.on:
		return ls.Only(b.matching.labels...)
	case len(b.matching.labels) > 0:
		return ls.Without(b.matching.labels...)
	}
	return ls
}

// set evaluates and, or and unless.
func (b *binary) set(lhs, rhs []Point) (value, error) {
	base, other := rhs, lhs
	if b.op == "or" {
		base, other = lhs, rhs
	}
	have := make(map[string]bool, len(base))
	for _, p := range base {
		have[b.matching.signature(p.Labels)] = true
	}
	var out []Point
	if b.op == "or" {
		out = append(out, lhs...)
	}
	for _, p := range other {
		if have[b.matching.signature(p.Labels)] == (b.op == "and") {
			out = append(out, p)
		}
	}
	if b.op == "or" {
		if err := unique(out); err != nil {
			return value{}, err
		}
	}
	return value{vector: out}, nil
}
