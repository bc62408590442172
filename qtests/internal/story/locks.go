package story

import (
	"fmt"
	"maps"
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// gives has a goroutine give a lock back. Where it does not hold the lock, the first that holds it no
// longer does.
func (t *teller) gives(g, object uint64) {
	all := t.holders[object]
	i := slices.IndexFunc(all, func(h hold) bool { return h.by == g })
	if i = max(i, 0); i < len(all) {
		t.holders[object] = slices.Delete(slices.Clone(all), i, i+1)
	}
}

// blocker is the goroutine that keeps g from the lock that g waits for, or 0, and why: it holds the
// lock, or it waits to write, and goes before g, which wants to read.
func (t *teller) blocker(g uint64) (by uint64, why string) {
	w := t.waits[g]
	if !w.locks() {
		return 0, ""
	}
	if w.op == site.RLock {
		if other := t.writerBefore(g); other != 0 {
			return other, fmt.Sprintf("behind %s, which waits to lock it", t.name(other))
		}
	}
	for _, h := range t.holders[w.object] {
		if h.by != g || len(t.holders[w.object]) == 1 {
			return h.by, fmt.Sprintf("which %s holds since %s", t.name(h.by), h.where)
		}
	}
	return 0, ""
}

// writerBefore is the goroutine that waits to write where g waits to read, or 0.
func (t *teller) writerBefore(g uint64) uint64 {
	for _, other := range t.order() {
		if o, ok := t.waits[other]; ok && other != g && o.object == t.waits[g].object && o.op == site.Lock {
			return other
		}
	}
	return 0
}

// cycle finds goroutines that wait for locks of each other.
func (t *teller) cycle() {
	for _, start := range t.order() {
		var path []string
		var members []uint64
		for g := start; len(path) < len(t.waits); {
			by, why := t.blocker(g)
			if by == 0 {
				break
			}
			w := t.waits[g]
			path = append(path, fmt.Sprintf("%s %s at %s, %s", t.name(g), w.text, w.where, why))
			members = append(members, g)
			if g = by; g == start {
				t.story.Cycle = atMost(path, mostCircle)
				t.rest(members)
				return
			}
		}
	}
	t.rest(nil)
}

// rest says of a test that does not go on what the others wait for, and what they hold.
func (t *teller) rest(circle []uint64) {
	switch t.story.Failure.Kind {
	case "deadlock", "leak", "standstill", "hang":
	default:
		return
	}
	for _, g := range t.order() {
		w, waits := t.waits[g]
		if !waits || slices.Contains(circle, g) || len(t.story.Ends) == mostEnds {
			continue
		}
		text := t.name(g) + " " + w.text
		if w.where != "" { // else no code of the user's waits
			text += " at " + w.where
		}
		if _, why := t.blocker(g); why != "" {
			text += ", " + why
		}
		t.story.Ends = append(t.story.Ends, text+t.holding(g))
	}
}

// holding says which locks a goroutine holds, to follow what it waits for.
func (t *teller) holding(g uint64) (text string) {
	for _, object := range slices.Sorted(maps.Keys(t.holders)) {
		for _, h := range t.holders[object] {
			if h.by == g {
				text += fmt.Sprintf("; it holds %s since %s", t.called(object), h.where)
			}
		}
	}
	return text
}
