package qtests

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"
)

// ErrTwoBubbles is what a component returns to the second of two bubbles that use it
// at once: a waiter of one would be woken from the other, which ends the process, and
// their times are different ones.
var ErrTwoBubbles = errors.New("qtests: in use in another bubble")

// A Tenancy keeps a component to one bubble at a time: the first bubble of [Run] that
// uses it has it until that bubble ends. Use outside every bubble is free. The zero
// value is ready; all methods are safe for concurrent use.
type Tenancy struct {
	tenant atomic.Uint64 // the serial number of a bubble, 0 for none yet
	uses   atomic.Uint32
}

// An occupancy says how many bubbles of Run have begun and not ended, those left
// behind included, and which is the only one where there is one.
type occupancy struct {
	n    int
	only uint64
}

var present atomic.Pointer[occupancy]

// runs are these bubbles, *T by the serial number that moveIn gives them. Only who holds
// moving changes them.
var (
	runs    sync.Map
	moving  sync.Mutex
	serials uint64
)

// moveIn takes note of a bubble, and moveOut of its end. The runtime's number of a bubble
// takes a third of the time that a bubble takes. So it is asked for only where there is
// another one, and later where it matters: see runHere.
func moveIn(q *T) {
	moving.Lock()
	defer moving.Unlock()
	if o := present.Load(); o != nil && o.n > 0 {
		q.home.bubble()
	}
	serials++
	q.serial = serials
	runs.Store(q.serial, q)
	countTenants()
}

func moveOut(q *T) {
	moving.Lock()
	defer moving.Unlock()
	runs.Delete(q.serial)
	countTenants()
}

func countTenants() {
	o := &occupancy{}
	runs.Range(func(serial, _ any) bool {
		o.n++
		o.only = serial.(uint64)
		return o.n < 2
	})
	present.Store(o)
}

// plainBubble is the number of a bubble that is not one of Run, so that nobody looks twice.
var plainBubble atomic.Uint64

// runHere returns the bubble of Run that the caller is in, or nil. At most one bubble has a
// number that is not known: the one that was alone when it began.
func runHere() *T {
	here := thisGoroutine().bubble
	if here == 0 || here == plainBubble.Load() {
		return nil
	}
	var found, unknown *T
	runs.Range(func(_, value any) bool {
		q := value.(*T)
		switch q.home.number.Load() {
		case here:
			found = q
		case 0:
			unknown = q
		}
		return found == nil
	})
	if found != nil || unknown == nil {
		return found
	}
	if !slices.ContainsFunc(bubbleGoroutines(here), func(g goroutine) bool { return g.outermost == runHost }) {
		plainBubble.Store(here)
		return nil
	}
	unknown.home.number.Store(here)
	return unknown
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
	if now == nil || now.n == 0 {
		return nil
	}
	if now.n == 1 {
		if now.only != t.tenant.Load() && fakeTime() {
			t.tenant.Store(now.only)
		}
		return nil
	}
	if TieFree(clk) && t.uses.Add(1)%ownClockEvery != 1 || !fakeTime() {
		return nil
	}
	if here := runHere(); here != nil {
		return t.enter(here, kind, name)
	}
	return nil
}

// enter is Use in the bubble here while there are others.
func (t *Tenancy) enter(here *T, kind, name string) error {
	for {
		tenant := t.tenant.Load()
		if tenant == here.serial {
			return nil
		}
		if other, lives := runs.Load(tenant); lives {
			err := fmt.Errorf("%s %s is used in two bubbles at once: %w, that of %s. Make one in each test, with q", kind, name, ErrTwoBubbles, other.(*T).Name())
			here.complain(err.Error())
			return err
		}
		if t.tenant.CompareAndSwap(tenant, here.serial) {
			return nil
		}
	}
}

// fakeTime reports whether the caller is in a bubble: there a Time has no monotonic
// reading.
func fakeTime() bool {
	now := time.Now()
	return now == now.Round(0)
}
