package query

import (
	"math"
)

// A binary is an operator between two expressions.
type binary struct {
	op       string
	lhs, rhs node
	boolean  bool
	matching matching
}

func (b *binary) typ() Type {
	if b.lhs.typ() == Scalar && b.rhs.typ() == Scalar {
		return Scalar
	}
	return Vector
}

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

func (b *binary) comparison() bool { return precedence(b.op) == 3 }

// dropsName reports whether the result is another quantity than the operands.
func (b *binary) dropsName() bool { return !b.comparison() || b.boolean }

// precedence of the binary operators, as in PromQL; 0 is no operator.
func precedence(op string) int {
	switch op {
	case "or":
		return 1
	case "and", "unless":
		return 2
	case "==", "!=", ">", "<", ">=", "<=":
		return 3
	case "+", "-":
		return 4
	case "*", "/", "%", "atan2":
		return 5
	case "^":
		return 6
	}
	return 0
}

func isSet(op string) bool { return op == "and" || op == "or" || op == "unless" }

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
	case "atan2":
		return math.Atan2(l, r), true
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

func (b *binary) withScalar(vector []Point, scalar float64, scalarLeft bool) (value, error) {
	out := vector[:0]
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
		out = append(out, Point{p.Labels, v, p.place})
	}
	if b.dropsName() {
		return nameless(out)
	}
	return value{vector: out}, nil
}

// set evaluates and, or and unless.
func (b *binary) set(lhs, rhs []Point) (value, error) {
	base, other := rhs, lhs
	if b.op == "or" {
		base, other = lhs, rhs
	}
	have := cleared(&b.matching.have)
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
