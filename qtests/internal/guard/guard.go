// Package guard has the lock of packages whose logic is plain types without one.
package guard

import "sync"

// A Value is a value behind a lock, first the zero value. Nothing waits while it holds the lock, and no code of the
// user runs.
type Value[V any] struct {
	mu sync.Mutex
	v  V
}

// Do calls f with the value, and nobody else meanwhile.
func (g *Value[V]) Do(f func(v *V)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.v)
}
