package shed

import "sync"

// guarded is a value behind a lock. Nothing else in this package locks, nothing waits while it holds it, and no
// code of the user runs.
type guarded[V any] struct {
	mu sync.Mutex
	v  V
}

func (g *guarded[V]) do(f func(v *V)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.v)
}
