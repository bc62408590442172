package query

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// signature returns the labels by which two elements are paired.
func (m *matching) signature(ls history.Labels) string {
	return m.signatures.Of(ls, func(ls history.Labels) string {
		switch {
		case m.on:
			return ls.Only(m.labels...).Key()
		case len(m.labels) == 0:
			return dropName(ls).Key()
		}
		return dropName(ls).Without(m.labels...).Key()
	})
}

func (m *matching) String() string {
	if m.on {
		return "on(" + strings.Join(m.labels, ", ") + ")"
	}
	return "ignoring(" + strings.Join(m.labels, ", ") + ")"
}

// vectors pairs two vectors, one to one or many to one.
func (b *binary) vectors(lhs, rhs []Point) (value, error) {
	if len(lhs) == 0 || len(rhs) == 0 {
		return value{}, nil // before any duplicate is looked for, as Prometheus does
	}
	swapped := b.matching.many == "group_right"
	if swapped {
		lhs, rhs = rhs, lhs
	}
	partners, err := b.partners(rhs)
	if err != nil {
		return value{}, err
	}
	pairs := pairing{b: b, matched: cleared(&b.matching.matched)}
	for _, p := range lhs {
		key := b.matching.signature(p.Labels)
		partner, ok := partners[key]
		if !ok {
			continue
		}
		l, r := p.Value, partner.Value
		if swapped {
			l, r = r, l
		}
		if err := pairs.add(key, p, partner, l, r); err != nil {
			return value{}, err
		}
	}
	return value{vector: pairs.out}, nil
}

// partners returns the elements of the side that has one for each signature.
func (b *binary) partners(side []Point) (map[string]Point, error) {
	out := cleared(&b.matching.partners)
	for _, p := range side {
		key := b.matching.signature(p.Labels)
		if other, dup := out[key]; dup {
			return nil, fmt.Errorf("many-to-many matching not allowed: %s and %s match the same elements %s", other.Labels, p.Labels, &b.matching)
		}
		out[key] = p
	}
	return out, nil
}

// A pairing is the result in the making.
type pairing struct {
	b *binary
	// matched has the results there already are, also of comparisons that do not hold.
	matched map[pair]bool
	out     []Point
}

// cleared returns an empty map, which is the one that m has.
func cleared[K comparable, V any](m *map[K]V) map[K]V {
	if *m == nil {
		*m = map[K]V{}
	}
	clear(*m)
	return *m
}

// add calculates the result of an element and its partner.
func (x *pairing) add(key string, p, partner Point, l, r float64) error {
	labels, id := x.b.resultLabels(p.Labels, partner.Labels), ""
	if x.b.matching.many != "" {
		id = labels.Key()
	}
	switch there := x.matched[pair{key, id}]; {
	case there && x.b.matching.many == "":
		return fmt.Errorf("many-to-one matching not allowed: several elements match %s %s", partner.Labels, &x.b.matching)
	case there:
		return fmt.Errorf("multiple matches for labels: %s is the result of several elements, and %s does not keep them apart", labels, x.b.matching.many)
	}
	x.matched[pair{key, id}] = true
	v, keep := operate(x.b.op, l, r)
	if x.b.boolean {
		v, keep = truth(keep), true
	}
	if keep {
		x.out = append(x.out, Point{labels, v, p.place})
	}
	return nil
}

// resultLabels are those of the side with many elements, and what group_left or
// group_right includes from the partner.
func (b *binary) resultLabels(ls, partner history.Labels) history.Labels {
	if b.matching.many == "" {
		return b.matching.results.Of(ls, b.paired)
	}
	if b.dropsName() {
		ls = dropName(ls)
	}
	for _, name := range b.matching.include {
		ls = ls.With(name, partner.Get(name))
	}
	return ls
}

// paired returns the labels of the result of one element with one.
func (b *binary) paired(ls history.Labels) history.Labels {
	if b.dropsName() {
		ls = dropName(ls)
	}
	switch {
	case b.matching.on:
		return ls.Only(b.matching.labels...)
	case len(b.matching.labels) > 0:
		return ls.Without(b.matching.labels...)
	}
	return ls
}
