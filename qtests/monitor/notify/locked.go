package notify

import "sync"

// locked is a value that several goroutines share. Nothing else in this package locks.
type locked[T any] struct {
	mu sync.Mutex
	v  T
}

// do calls f with the value, and returns its error.
func (l *locked[T]) do(f func(v *T) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return f(&l.v)
}
