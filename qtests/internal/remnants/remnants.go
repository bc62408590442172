// Package remnants finds out whether something of a bubble that has ended is still there, in a
// sync.Pool or in a variable, and empties the pools of the process where that is so.
package remnants

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// A Remnant tells whether something of a bubble that has ended is still there. The
// canary is referred to by the runtime's description of the bubble, and that by the
// bubble's timers and by those of its channels whose elements have pointers. The
// control is in a sync.Pool, and so is there as long as what the bubble left in one.
type Remnant struct {
	of            Kind
	canary        atomic.Pointer[canary] // until it is in the bubble
	left, ended   atomic.Bool
	there, inPool weak.Pointer[canary]
	control       *canary // until the bubble has ended
	controls      *sync.Pool
}

// A Kind tells bubbles apart whose bodies may leave different things.
type Kind struct {
	Test string  // its name
	Body uintptr // its code
}

type canary struct{ self *canary }

func newCanary() *canary {
	c := &canary{}
	c.self = c // with a pointer, it shares its memory with nobody
	return c
}

// Leave puts the canary into the bubble, at its very end: into a timer that will
// never fire, for with its main goroutine the time of a bubble ends.
func (r *Remnant) Leave() {
	if r == nil {
		return
	}
	if c := r.canary.Swap(nil); c != nil {
		r.left.Store(true)
		time.AfterFunc(1<<62, func() { runtime.KeepAlive(c) })
	}
}

// End is called outside when the bubble has ended, or was left behind.
func (r *Remnant) End() {
	if r == nil {
		return
	}
	r.canary.Store(nil)
	r.controls.Put(r.control)
	r.control = nil
	r.ended.Store(true)
}

// remains says what bubbles of one kind leave behind.
type remains int

const (
	unknownRemains remains = iota
	noRemains
	pooledRemains // what a sync.Pool keeps
	keptRemains   // what a variable of a package keeps
)

// A Sweeper decides when to empty the pools of the process: a sync.Pool keeps what
// it is given for two collections, and is not to hand a bubble's timer or channel to
// the next bubble. A collection costs more than ten bubbles. There is one only where
// it may help, and only until it is known what a body leaves.
type Sweeper struct {
	collect func()
	now     func() time.Time
	warn    func(test string) // of what is kept

	mu       sync.Mutex
	pending  []*Remnant
	kinds    map[Kind]remains
	clean    map[Kind]int  // looks that found nothing
	heavy    map[Kind]bool // ran for long or longer the last time
	long     time.Duration // heavyBody, but in a test
	first    time.Time
	spent    time.Duration
	looked   map[uintptr]int // looks at what tests with this body leave
	controls sync.Pool
	tick     weak.Pointer[canary] // of what is referred to by nobody: gone with the next collection
}

// Bounds of what it may cost to look for remains. What is known to be in a pool is collected
// in any case, and so is what the first tests with one body leave, whatever that takes: not to
// look may end the process. Then the looks may take remnantBudget, and a tenth of the time
// since the first bubble. Of a suite of 1,000 short tests with one body, 50 ms were two fifths.
const (
	remnantBudget = 20 * time.Millisecond
	remnantShare  = 10
	maxRemnants   = 64 // that wait for a look, for each bubble goes through them; more of what must be looked at
)

// heavyBody is how long a body runs, in real time, for which two collections are cheap. It
// is looked at each time: it may leave something in a pool in some of its runs only.
const heavyBody = 20 * time.Millisecond

// New returns the decision for a process, in which no bubble has begun. It calls warn
// once for each kind of bubble that leaves something in a variable of a package, with the
// name of the test.
func New(warn func(test string)) *Sweeper {
	return &Sweeper{kinds: map[Kind]remains{}, collect: runtime.GC, now: time.Now, warn: warn, long: heavyBody}
}

// Next prepares the process for a bubble, and returns what it is to leave
// and end, or nil where that is known.
func (r *Sweeper) Next(of Kind) *Remnant {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first.IsZero() {
		r.first = r.now()
	}
	r.sweep(of.Test)
	k := r.kinds[of]
	must := k == pooledRemains || r.isNew(of)
	if k == noRemains && !r.heavy[of] || k == keptRemains || len(r.pending) >= maxRemnants && !must {
		return nil
	}
	c, control := newCanary(), newCanary()
	left := &Remnant{of: of, there: weak.Make(c), control: control, inPool: weak.Make(control), controls: &r.controls}
	left.canary.Store(c)
	r.pending = append(r.pending, left)
	return left
}

// Ran says how long a bubble has run.
func (r *Sweeper) Ran(of Kind, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case d < r.long:
		delete(r.heavy, of)
	case r.heavy == nil:
		r.heavy = map[Kind]bool{of: true}
	default:
		r.heavy[of] = true
	}
}

// sweep collects until nothing of a bubble that has ended is in a pool any more.
func (r *Sweeper) sweep(test string) {
	if r.tick.Value() == nil {
		r.settle(noRemains)
		r.tick = weak.Make(newCanary())
	}
	any, must := false, false
	for _, p := range r.pending {
		if p.ended.Load() {
			any, must = true, must || r.kinds[p.of] == pooledRemains || r.isNew(p.of)
		}
	}
	if !any {
		return
	}
	begin := r.now()
	if !must && r.spent > remnantBudget+begin.Sub(r.first)/remnantShare {
		return
	}
	for _, p := range r.pending {
		if r.isNew(p.of) && p.ended.Load() {
			r.looked[p.of.Body]++
		}
	}
	if r.collect(); r.settle(noRemains) {
		if r.collect(); r.settle(pooledRemains) {
			r.giveUp(test)
		}
	}
	r.spent += r.now().Sub(begin)
}

// isNew reports whether it has to be found out what a body leaves.
func (r *Sweeper) isNew(of Kind) bool {
	if r.looked == nil {
		r.looked = map[uintptr]int{}
	}
	return r.kinds[of] == unknownRemains && r.looked[of.Body] < remnantLooks
}

// settle strikes off what is gone, and reports whether anything is there. What went
// while a pool kept its control says that its test leaves nothing; what went in the
// second of two collections, that it was in a pool.
func (r *Sweeper) settle(kind remains) (any bool) {
	left := r.pending[:0]
	for _, p := range r.pending {
		switch {
		case !p.ended.Load():
			left = append(left, p)
		case p.left.Load() && p.there.Value() != nil:
			left, any = append(left, p), true
		case !p.left.Load() || r.kinds[p.of] > noRemains:
		case kind == pooledRemains:
			r.kinds[p.of] = kind
		case p.inPool.Value() != nil:
			if r.clean == nil {
				r.clean = map[Kind]int{}
			}
			if r.clean[p.of]++; r.clean[p.of] >= cleanLooks {
				r.kinds[p.of] = kind
			}
		}
	}
	clear(r.pending[len(left):])
	r.pending = left
	return any
}

// giveUp strikes off what no collection removes. A test that is not over may refer
// to it itself.
func (r *Sweeper) giveUp(test string) {
	left := r.pending[:0]
	for _, p := range r.pending {
		switch {
		case !p.ended.Load():
			left = append(left, p)
		case rootOf(p.of.Test) != rootOf(test) && r.kinds[p.of] == unknownRemains:
			r.kinds[p.of] = keptRemains
			r.warn(p.of.Test)
		}
	}
	clear(r.pending[len(left):])
	r.pending = left
}

// rootOf returns the name of the test that a subtest belongs to.
func rootOf(test string) string {
	root, _, _ := strings.Cut(test, "/")
	return root
}
