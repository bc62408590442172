package shed

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// A Class is a kind of requests.
type Class struct {
	Name     string
	Priority int     // higher goes first
	Weight   float64 // the share among classes of one priority; default 1
}

// MaxClasses is how many classes a Gate may have.
const MaxClasses = 100

// class is a Class and its queue.
type class struct {
	Class
	line  line
	used  float64 // admitted / weight, the virtual time of the class
	stats Counts
}

// classes choose who is next.
type classes struct {
	all     []*class
	byName  map[string]*class
	waiting int
	virtual float64 // that of who was admitted last
}

func checkClasses(c *field.Checker, all []Class) {
	c.That(len(all) <= MaxClasses, "Classes", len(all), "are over %d", MaxClasses)
	for i, x := range all {
		at := fmt.Sprintf("Classes[%d]", i)
		c.That(x.Name != "", at+".Name", `""`, "is no name")
		c.Finite(at+".Weight", x.Weight)
		for _, y := range all[:i] {
			c.That(x.Name != y.Name, at+".Name", x.Name, "is there twice")
		}
	}
}

func newClasses(all []Class, q Queue) classes {
	x := classes{byName: map[string]*class{}}
	if len(all) == 0 {
		all = []Class{{Name: "default"}}
	}
	for _, c := range all {
		c.Weight = or(c.Weight, 1)
		k := &class{Class: c, line: line{cfg: q}}
		x.all, x.byName[c.Name] = append(x.all, k), k
	}
	return x
}

// named returns a class; one that is not known is that of the lowest priority, the last of these.
func (x *classes) named(name string) *class {
	if c := x.byName[name]; c != nil {
		return c
	}
	lowest := x.all[0]
	for _, c := range x.all {
		if c.Priority <= lowest.Priority {
			lowest = c
		}
	}
	return lowest
}

// join puts a waiter into the queue of its class.
func (x *classes) join(w *waiter) {
	if len(w.class.line.waiting) == 0 { // who was away gets no credit for it
		w.class.used = max(w.class.used, x.virtual)
	}
	w.class.line.push(w)
	x.waiting++
}

// leave takes a waiter out. It is false if the waiter is not there.
func (x *classes) leave(w *waiter) bool {
	if !w.class.line.remove(w) {
		return false
	}
	x.waiting--
	return true
}

// displaced returns who has to go for a request of class c when the queue is full, or nil.
func (x *classes) displaced(c *class) *waiter {
	var last *waiter
	for _, other := range x.all {
		n := len(other.line.waiting)
		if n == 0 || other.Priority >= c.Priority {
			continue
		}
		w := other.line.waiting[n-1]
		if last == nil || other.Priority < last.class.Priority || other.Priority == last.class.Priority && w.since.After(last.since) {
			last = w
		}
	}
	return last
}

// best is the class whose request is next, or nil.
func (x *classes) best() (best *class) {
	for _, c := range x.all {
		if len(c.line.waiting) == 0 {
			continue
		}
		if best == nil || c.Priority > best.Priority || c.Priority == best.Priority && c.used < best.used {
			best = c
		}
	}
	return best
}

// charge counts an admission.
func (x *classes) charge(c *class) {
	x.virtual = max(x.virtual, c.used)
	c.used += 1 / c.Weight
}
