package pool

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests"
)

// A behaviour is how calls of one kind behave when no fault is active. It is
// changed by copying, so that calls read it without a lock.
type behaviour struct {
	mu  sync.Mutex // serialises changes
	now atomic.Pointer[manner]
}

// A manner is one value of a behaviour.
type manner struct {
	latency qtests.Latency
	chances []chance
}

// newBehaviour returns one with a latency and, if p > 0, an error rate.
func newBehaviour(latency qtests.Latency, p float64, err error) *behaviour {
	b := &behaviour{}
	m := manner{latency: latency}
	if p > 0 {
		m.chances = []chance{{p, err}}
	}
	b.now.Store(&m)
	return b
}

// copy returns a behaviour that begins as b is now.
func (b *behaviour) copy() *behaviour {
	c := &behaviour{}
	c.now.Store(b.now.Load())
	return c
}

func (b *behaviour) change(f func(*manner)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := *b.now.Load()
	m.chances = slices.Clip(m.chances)
	f(&m)
	b.now.Store(&m)
}

// setLatency and addError are the verbs that stubs share.
func (b *behaviour) setLatency(f *Faults, l qtests.Latency) {
	f.t.Helper()
	if err := l.Err(); err != nil {
		qtests.Fatalf(f.t, "pool: %s: Latency: %v", f.what, err)
	}
	b.change(func(m *manner) { m.latency = l })
}

func (b *behaviour) addError(f *Faults, p float64, err error) {
	f.t.Helper()
	f.require(p >= 0 && p <= 1 && !math.IsNaN(p), "Errors", p, "is not between 0 and 1")
	f.require(err != nil, "Errors", err, "is no error")
	b.change(func(m *manner) { m.chances = append(m.chances, chance{p, err}) })
}

// An Op scripts one operation of a fake that has no query or route of its own:
// opening a connection, or beginning or committing a transaction. Its embedded
// Faults concern that operation alone. All methods are safe for concurrent use.
type Op struct {
	Faults
	behaviour *behaviour
}

func newOp(f *Faults, name string, b *behaviour) *Op {
	o := &Op{behaviour: b}
	o.Faults = f.of(o, name)
	return o
}

// Latency replaces the latency of the operation.
func (o *Op) Latency(l qtests.Latency) *Op {
	o.t.Helper()
	o.behaviour.setLatency(&o.Faults, l)
	return o
}

// Error makes the operation fail from now on, each time.
func (o *Op) Error(err error) *Op {
	o.t.Helper()
	return o.Errors(1, err)
}

// Errors makes the operation fail with probability p from 0 to 1, independently
// of other errors.
func (o *Op) Errors(p float64, err error) *Op {
	o.t.Helper()
	o.behaviour.addError(&o.Faults, p, err)
	return o
}

// call returns a call of the operation.
func (o *Op) call(op string) faultCall {
	m := o.behaviour.now.Load()
	return faultCall{op: op, on: targets{o}, latency: m.latency, chances: m.chances}
}
