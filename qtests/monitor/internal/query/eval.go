package query

import (
	"errors"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// Lookback is how old a sample may be for an instant read to see it. A sample
// exactly this old is not seen (Prometheus 3: the interval is left-open).
const Lookback = 5 * time.Minute

// SubqueryStep is the step of a subquery that gives none: the default of Prometheus'
// evaluation_interval.
const SubqueryStep = time.Minute

// ErrSameLabels is Prometheus' refusal of a vector in which two elements have one
// label set, for example after a function has removed different metric names.
var ErrSameLabels = errors.New("vector cannot contain metrics with the same labelset")

// An Expr is a parsed expression.
type Expr struct {
	text string
	root node
	// HideReal leaves out the metrics whose name begins with history.RealPrefix.
	HideReal bool
	buffers  buffers
	ev       evaluation // the one under way, or the last
}

// A Point is one element of an instant vector. A scalar is one Point without labels.
type Point struct {
	Labels history.Labels
	Value  float64
	// place is where the series, or the first series of a group, is in its selector. A
	// subquery, which sees some series at some steps only, has them in this order.
	place int
}

// A Result is what an expression gave at one instant.
type Result struct {
	Type   Type
	Points []Point
	// Data reports whether any selector of the expression saw a sample, which
	// tells "the condition does not hold" from "there is nothing to judge".
	Data bool
}

// String returns the text that was parsed.
func (e *Expr) String() string { return e.text }

// Type returns Scalar or Vector.
func (e *Expr) Type() Type { return e.root.typ() }

// Eval evaluates the expression at an instant, in nanoseconds since 1970.
func (e *Expr) Eval(st *history.Store, at int64) (Result, error) { return e.EvalIn(st, at, at, at) }

// EvalIn is Eval as one step of a query over a range, which start() and end() mean.
func (e *Expr) EvalIn(st *history.Store, at, from, to int64) (Result, error) {
	ev := &e.ev
	*ev = evaluation{store: st, at: at, from: from, to: to, hideReal: e.HideReal, buffers: &e.buffers}
	ev.slab.points = ev.slab.points[:0]
	v, err := e.root.eval(ev)
	if err != nil {
		return Result{}, err
	}
	r := Result{Type: e.Type(), Points: append([]Point(nil), v.vector...), Data: ev.data}
	if r.Type == Scalar {
		r.Points = []Point{{Value: v.scalar}}
	}
	return r, nil
}

// An evaluation is one Eval.
type evaluation struct {
	store *history.Store
	at    int64
	// from and to are start() and end().
	from, to int64
	data     bool
	// hideReal is Expr.HideReal.
	hideReal bool
	*buffers
	// The newest row at or before newestAt: most selectors ask for the same.
	newestAt  int64
	newestRow int
	newest    bool
}

// rowAt returns the newest row at or before an instant.
func (ev *evaluation) rowAt(at int64) int {
	if !ev.newest || ev.newestAt != at {
		ev.newest, ev.newestAt, ev.newestRow = true, at, ev.store.After(at)-1
	}
	return ev.newestRow
}

// A value is a scalar, a text or a vector.
type value struct {
	scalar float64
	text   string
	vector []Point
}

func (t text) eval(*evaluation) (value, error) { return value{text: string(t)}, nil }

func (n number) eval(*evaluation) (value, error) { return value{scalar: float64(n)}, nil }

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

// mapped applies f to every element and removes the metric names, in place.
func mapped(in []Point, f func(float64) float64) (value, error) {
	for i := range in {
		in[i].Value = f(in[i].Value)
	}
	return nameless(in)
}

// nameless removes the metric names of the points, in place.
func nameless(points []Point) (value, error) {
	names := 0
	for i, p := range points {
		if i > 0 && p.Labels.Name() != points[i-1].Labels.Name() {
			names++
		}
	}
	for i := range points {
		points[i].Labels = dropName(points[i].Labels)
	}
	if names > 0 { // of one name, label sets stay different
		if err := unique(points); err != nil {
			return value{}, err
		}
	}
	return value{vector: points}, nil
}

func dropName(ls history.Labels) history.Labels {
	if len(ls) > 0 && ls[0].Name == history.NameLabel {
		return ls[1:]
	}
	return ls.Without(history.NameLabel)
}

func unique(points []Point) error {
	seen := make(map[string]struct{}, len(points))
	for _, p := range points {
		seen[p.Labels.Key()] = struct{}{}
	}
	if len(seen) < len(points) {
		return ErrSameLabels
	}
	return nil
}
