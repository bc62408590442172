package query

import (
	"errors"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// ErrSameLabels is Prometheus' refusal of a vector in which two elements have one
// label set, for example after a function has removed different metric names.
var ErrSameLabels = errors.New("vector cannot contain metrics with the same labelset")

// A Point is one element of an instant vector. A scalar is one Point without labels.
type Point struct {
	Labels history.Labels
	Value  float64
	// place is where the series, or the first series of a group, is in its selector. A
	// subquery, which sees some series at some steps only, has them in this order.
	place int
}

// A value is a scalar, a text or a vector.
type value struct {
	scalar float64
	text   string
	vector []Point
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

// buffers hold the samples of one window after another, and the vectors of an evaluation.
type buffers struct {
	slab
	withoutLe history.Derived[keyed] // of buckets
	floats    []float64
	points    []history.Sample
}

// A keyed is a label set with its key.
type keyed struct {
	labels history.Labels
	key    string
}

func keyedOf(ls history.Labels) keyed { return keyed{ls, ls.Key()} }

// A slab is where the vectors of one evaluation are; the next one uses it again.
type slab struct{ points []Point }

// vector returns an empty vector with a place for n points. It is its taker's until the
// slab is used again.
func (s *slab) vector(n int) []Point {
	have := len(s.points)
	if have+n > cap(s.points) {
		have, s.points = 0, make([]Point, 0, 2*cap(s.points)+n)
	}
	s.points = s.points[:have+n]
	return s.points[have : have : have+n]
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
