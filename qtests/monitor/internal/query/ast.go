package query

// A Type is what an expression evaluates to.
type Type string

// The types of PromQL that this package evaluates.
const (
	Scalar Type = "scalar"
	Vector Type = "instant vector"
	Matrix Type = "range vector"
	String Type = "string"
)

// article is the type with its article.
func (t Type) article() string {
	if t == Vector {
		return "an " + string(t)
	}
	return "a " + string(t)
}

// A node is one expression. A matrix is never evaluated by itself: the
// function around it reads the range.
type node interface {
	typ() Type
	eval(*evaluation) (value, error)
}

// A paren is an expression in parentheses.
type paren struct{ node }

// bare returns what is in the parentheses.
func bare(n node) node {
	for {
		p, ok := n.(*paren)
		if !ok {
			return n
		}
		n = p.node
	}
}

// number is the value of a number literal.
type number float64

func (number) typ() Type { return Scalar }

func (n number) eval(*evaluation) (value, error) { return value{scalar: float64(n)}, nil }

// text is the value of a string literal.
type text string

func (text) typ() Type { return String }

func (t text) eval(*evaluation) (value, error) { return value{text: string(t)}, nil }

// A unary is an expression with a minus before it.
type unary struct{ arg node }

func (u *unary) typ() Type { return u.arg.typ() }

func (u *unary) eval(ev *evaluation) (value, error) {
	v, err := u.arg.eval(ev)
	if err != nil {
		return value{}, err
	}
	if u.typ() == Scalar {
		return value{scalar: -v.scalar}, nil
	}
	return mapped(v.vector, func(x float64) float64 { return -x })
}
