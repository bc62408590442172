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

type number float64

// text is the value of a string literal.
type text string

// A shift says at which instant a selector or a subquery looks.
type shift struct {
	offset    time.Duration
	hasOffset bool
	edge      string // of the modifier @: "at", "start" or "end"; empty is none
	at        int64  // of the edge "at", in nanoseconds
}

// instant returns the instant at which is looked.
func (s shift) instant(ev *evaluation) int64 {
	at := ev.at
	switch s.edge {
	case "at":
		at = s.at
	case "start":
		at = ev.from
	case "end":
		at = ev.to
	}
	return at - int64(s.offset)
}

type selector struct {
	matchers []history.Matcher
	shift
	span  time.Duration // of a range selector, otherwise 0
	found selection
	lines *lines // that a Memo shares; otherwise nil
}

// A subquery is the range vector of an expression, evaluated at every multiple of step in
// the span.
type subquery struct {
	arg        node
	span, step time.Duration
	shift
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
	// many is the side whose elements may share a partner: "group_left",
	// "group_right", or empty. They get the labels in include from the partner.
	many    string
	include []string
	// The signatures and results of the label sets seen.
	signatures history.Derived[string]
	results    history.Derived[history.Labels]
	// What one evaluation needs, kept for the next.
	have     map[string]bool
	partners map[string]Point
	matched  map[pair]bool
}

// A pair is a result: of a signature and, where several elements may have it, of labels.
type pair struct{ signature, id string }

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

type call struct {
	name string
	fn   function
	args []node
	shared
}

func (number) typ() Type       { return Scalar }
func (text) typ() Type         { return String }
func (*subquery) typ() Type    { return Matrix }
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
