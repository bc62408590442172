package query

import "github.com/go-qtests/qtests/qtests/monitor/internal/history"

// An Expr is a parsed expression.
type Expr struct {
	text string
	root node
	// HideReal leaves out the metrics whose name begins with history.RealPrefix.
	HideReal bool
	buffers  buffers
	ev       evaluation // the one under way, or the last
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
