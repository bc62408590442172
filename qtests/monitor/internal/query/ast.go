package query

import (
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A Type is what an expression evaluates to.
type Type string

// The types of PromQL that this package evaluates.
const (
	Scalar Type = "scalar"
	Vector Type = "instant vector"
	Matrix Type = "range vector"
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

type number float64

type selector struct {
	matchers []history.Matcher
	offset   time.Duration
	span     time.Duration // of a range selector, otherwise 0
	found    selection
}

type unary struct{ arg node } // minus

type binary struct {
	op       string
	lhs, rhs node
	boolean  bool
	matching matching
}

// A matching says which labels pair two vectors.
type matching struct {
	on     bool // only these labels; otherwise all but these and the name
	labels []string
}

type aggregation struct {
	op      string
	param   node // of quantile
	arg     node
	without bool
	labels  []string
}

type call struct {
	name string
	fn   function
	args []node
	text string
}

func (number) typ() Type       { return Scalar }
func (u *unary) typ() Type     { return u.arg.typ() }
func (*aggregation) typ() Type { return Vector }
func (c *call) typ() Type      { return c.fn.result }

func (s *selector) typ() Type {
	if s.span > 0 {
		return Matrix
	}
	return Vector
}

func (b *binary) typ() Type {
	if b.lhs.typ() == Scalar && b.rhs.typ() == Scalar {
		return Scalar
	}
	return Vector
}
