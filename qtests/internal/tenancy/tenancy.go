// Package tenancy knows the bubbles of qtests.Run that there are, which goroutines are whose, and which component is in
// use in which bubble.
package tenancy

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// ErrTwoBubbles is tb.ErrTwoBubbles.
var ErrTwoBubbles = errors.New("qtests: in use in another bubble")

// A Tenancy keeps a component to one bubble at a time: the first bubble of qtests.Run that
// uses it has it until that bubble ends. Use outside every bubble is free. The zero
// value is ready; all methods are safe for concurrent use.
type Tenancy struct {
	tenant atomic.Uint64 // the serial number of a bubble, 0 for none yet
	uses   atomic.Uint32
}

// present says which bubbles of qtests.Run have begun and not ended, those left behind
// included: nobody, the serial number of the only one, or several.
var present atomic.Uint64

const (
	nobody  = 0
	several = 1<<64 - 1
)

// A Tenant is a bubble of qtests.Run, as components and helpers inside it see it.
type Tenant struct {
	// Test is the *qtests.T, on which a helper looks for the methods that its own test hides.
	Test any
	// Outer is the test that the bubble belongs to: a *testing.T.
	Outer any
	Name  string
	// Complain fails the test, and says why at once.
	Complain func(problem string)
	// Outside reports whether a test is one that belongs outside of every bubble.
	Outside func(test any) bool
	Home    *Home
	// Fails tells a search by what the test fails, before the test is told: the first name
	// is the failure's.
	Fails func(kind, name string)
	// Inputs is what this run gets beside its seed; nil where nobody chooses.
	Inputs *inputs.Set
	// PanicsAllowed says that a handler may panic.
	PanicsAllowed atomic.Bool

	serial uint64 // of the bubbles of the process
}

// runs are these bubbles, by the serial number that Enter gives them.
var runs struct {
	sync.Mutex
	all     map[uint64]*Tenant
	serials uint64
}

// Enter takes note of a bubble. The caller is in it. To learn the runtime's number of a
// bubble takes a third of the time that a bubble takes. So it is asked for only where there
// is another one, and later where it matters: see runHere.
func Enter(q *Tenant) {
	runs.Lock()
	defer runs.Unlock()
	if len(runs.all) > 0 {
		q.Home.Bubble()
	}
	if runs.all == nil {
		runs.all = map[uint64]*Tenant{}
	}
	runs.serials++
	q.serial = runs.serials
	runs.all[q.serial] = q
	countTenants()
}

// Leave takes note of the end of a bubble.
func Leave(q *Tenant) {
	runs.Lock()
	defer runs.Unlock()
	delete(runs.all, q.serial)
	countTenants()
}

// Here returns the bubble of qtests.Run that the caller is in, or nil. It costs a few
// nanoseconds outside of bubbles, and some microseconds inside.
func Here() *Tenant {
	if present.Load() == nobody || !stacks.InBubble() {
		return nil
	}
	return runHere()
}

// countTenants is for the holder of the lock.
func countTenants() {
	if len(runs.all) > 1 {
		present.Store(several)
		return
	}
	only := uint64(nobody)
	for only = range runs.all {
	}
	present.Store(only)
}

// plainBubble is the number of a bubble that is not one of qtests.Run, so that nobody looks twice.
var plainBubble atomic.Uint64

// runHere returns the bubble of qtests.Run that the caller is in, or nil. At most one bubble has a
// number that is not known: the one that was alone when it began.
func runHere() *Tenant {
	here := stacks.This().Bubble
	if here == 0 || here == plainBubble.Load() {
		return nil
	}
	found, unknown := withNumber(here)
	if found != nil || unknown == nil {
		return found
	}
	if !slices.ContainsFunc(stacks.OfBubble(here), func(g stacks.Goroutine) bool { return g.Outermost == RunHost }) {
		plainBubble.Store(here)
		return nil
	}
	unknown.Home.Number.Store(here)
	return unknown
}

// withNumber returns the bubble of that number, and the one whose number is not known,
// where there are such.
func withNumber(here uint64) (found, unknown *Tenant) {
	runs.Lock()
	defer runs.Unlock()
	for _, q := range runs.all {
		switch q.Home.Number.Load() {
		case here:
			return q, nil
		case 0:
			unknown = q
		}
	}
	return nil, unknown
}

// withSerial returns the bubble of that serial number, or nil where it has ended.
func withSerial(serial uint64) *Tenant {
	runs.Lock()
	defer runs.Unlock()
	return runs.all[serial]
}

// ownClockEvery is how many uses one look is for, where a component has the clock of
// a bubble and so is hardly in two.
const ownClockEvery = 64

// Use is called at every use of the component called name, of the kind given, which
// has the clock clk. It returns an error, which wraps [ErrTwoBubbles] and also fails
// the test of the calling bubble, when the component is in use in another one.
//
// With no bubble, or one, it costs a few nanoseconds. With several at once, in
// parallel tests, it looks at the stack, which takes about two microseconds; a
// component with the clock of a bubble is looked at in one use of 64.
func (t *Tenancy) Use(clk clock.Clock, kind, name string) error {
	now := present.Load()
	if now == nobody {
		return nil
	}
	if now != several {
		if now != t.tenant.Load() && stacks.InBubble() {
			t.tenant.Store(now)
		}
		return nil
	}
	if bubble.TieFree(clk) && t.uses.Add(1)%ownClockEvery != 1 || !stacks.InBubble() {
		return nil
	}
	if here := runHere(); here != nil {
		return t.enter(here, kind, name)
	}
	return nil
}

// enter is Use in the bubble here while there are others.
func (t *Tenancy) enter(here *Tenant, kind, name string) error {
	for {
		now := t.tenant.Load()
		if now == here.serial {
			return nil
		}
		if other := withSerial(now); other != nil {
			err := fmt.Errorf("%s %s is used in two bubbles at once: %w, the one of %s. Make one in each test, with q", kind, name, ErrTwoBubbles, other.Name)
			here.Complain(err.Error())
			return err
		}
		if t.tenant.CompareAndSwap(now, here.serial) {
			return nil
		}
	}
}
