package history

// MaxDerived bounds what one Derived remembers about label sets: those of series stay the same,
// but a function may make new ones at every evaluation.
const MaxDerived = 4096

// An identity is the place in memory of a label set, which nobody changes.
type identity struct {
	first *Label
	n     int
}

// A Derived remembers what follows from each label set, so that it is made once in the life of
// a series and not at every evaluation.
type Derived[T any] struct{ known map[identity]T }

// Of returns what follows from the labels, made by f when they are new.
func (d *Derived[T]) Of(ls Labels, f func(Labels) T) T {
	if len(ls) == 0 {
		return f(ls)
	}
	id := identity{&ls[0], len(ls)}
	x, ok := d.known[id]
	if !ok {
		if d.known == nil || len(d.known) >= MaxDerived {
			d.known = map[identity]T{}
		}
		x = f(ls)
		d.known[id] = x
	}
	return x
}
