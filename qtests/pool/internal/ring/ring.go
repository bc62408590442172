// Package ring keeps the last of any number of things.
package ring

// Last keeps the last n things that were added: a plain structure.
type Last[T any] struct {
	kept  []T
	limit int
	next  int // where the next one goes once there are limit of them
}

// New returns one that keeps n, above 0.
func New[T any](n int) Last[T] { return Last[T]{limit: n} }

// Add adds one, in the place of the oldest if there are n.
func (l *Last[T]) Add(v T) {
	if len(l.kept) < l.limit {
		l.kept = append(l.kept, v)
		return
	}
	l.kept[l.next] = v
	l.next = (l.next + 1) % l.limit
}

// All returns what is kept, the oldest first.
func (l *Last[T]) All() []T {
	return append(append(make([]T, 0, len(l.kept)), l.kept[l.next:]...), l.kept[:l.next]...)
}
