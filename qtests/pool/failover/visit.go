package failover

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/go-qtests/qtests/qtests/pool"
)

// errMoved ends the wait of a caller at a backend that gets no traffic any more.
var errMoved = errors.New("failover: the traffic has moved")

// A visit is the wait of a caller at one backend.
type visit struct {
	backend int
	n       uint64 // the number of the visit
	leave   context.CancelCauseFunc
}

// visits are the callers that wait, at any backend: a plain structure.
type visits struct {
	now  map[*visit]struct{}
	last uint64
}

func (v *visits) begin(backend int, leave context.CancelCauseFunc) *visit {
	if v.now == nil {
		v.now = map[*visit]struct{}{}
	}
	v.last++
	one := &visit{backend, v.last, leave}
	v.now[one] = struct{}{}
	return one
}

func (v *visits) end(one *visit) { delete(v.now, one) }

// leaving returns what makes those leave whose backend is left, in the order in which
// they came. Each of them is told once.
func (v *visits) leaving(c *core) (out []func()) {
	var all []*visit
	for one := range v.now {
		if c.left(one.backend) {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b *visit) int { return cmp.Compare(a.n, b.n) })
	for _, one := range all {
		v.end(one)
		out = append(out, func() { one.leave(errMoved) })
	}
	return out
}

// left reports whether a backend is one to wait at no longer: it is not healthy, and
// another one gets the traffic.
func (c *core) left(i int) bool { return i != c.active && !c.backends[i].healthy }

// visit acquires from one backend. It returns errMoved if the backend is left first.
func (f *Failover[R]) visit(ctx context.Context, i int) (pool.Lease[R], error) {
	within, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	var one *visit
	f.locked(func(s *state) {
		if !s.core.left(i) {
			one = s.visits.begin(i, leave)
		}
	})
	if one == nil {
		return pool.Lease[R]{}, errMoved
	}
	defer f.locked(func(s *state) { s.visits.end(one) })
	l, err := f.pools[i].Acquire(within)
	if err != nil && ctx.Err() == nil && context.Cause(within) == errMoved {
		err = errMoved
	}
	return l, err
}
