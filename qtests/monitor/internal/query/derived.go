package query

import "github.com/go-qtests/qtests/qtests/monitor/internal/history"

// maxDerived bounds what a node remembers about label sets: those of series stay the same,
// but a function may make new ones at every evaluation.
const maxDerived = 4096

// An identity is the place in memory of a label set, which nobody changes.
type identity struct {
	first *history.Label
	n     int
}

// A derived remembers what follows from each label set, so that it is made once in the life of
// a series and not at every evaluation.
type derived[T any] struct{ known map[identity]T }

// of returns what follows from the labels, made by f when they are new.
func (d *derived[T]) of(ls history.Labels, f func(history.Labels) T) T {
	if len(ls) == 0 {
		return f(ls)
	}
	id := identity{&ls[0], len(ls)}
	x, ok := d.known[id]
	if !ok {
		if d.known == nil || len(d.known) >= maxDerived {
			d.known = map[identity]T{}
		}
		x = f(ls)
		d.known[id] = x
	}
	return x
}

// A keyed is a label set with its key.
type keyed struct {
	labels history.Labels
	key    string
}

func keyedOf(ls history.Labels) keyed { return keyed{ls, ls.Key()} }
