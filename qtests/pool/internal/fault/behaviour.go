package fault

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/latency"
)

// A Behaviour is how the calls of one kind behave when no fault is active: it is the
// script of a stub or of an operation. As a [Target] it stands for these calls. A
// change makes a copy, so that calls read it without a lock.
type Behaviour struct {
	now    atomic.Pointer[manner]
	config []Chance // the error rate of the config, to which TakeBack returns
}

// A manner is one value of a behaviour. It never changes.
type manner struct {
	latency latency.Distribution
	chances []Chance
}

// NewBehaviour returns one with a latency and, if p > 0, an error rate.
func NewBehaviour(latency latency.Distribution, p float64, err error) *Behaviour {
	b := &Behaviour{}
	m := manner{latency: latency}
	if p > 0 {
		m.chances = []Chance{{p, err}}
	}
	b.config = m.chances
	b.now.Store(&m)
	return b
}

// Copy returns a behaviour that begins as b is now.
func (b *Behaviour) Copy() *Behaviour {
	c := &Behaviour{config: b.config}
	c.now.Store(b.now.Load())
	return c
}

// Call returns a call of the operation op that behaves as b says.
func (b *Behaviour) Call(op string) Call {
	m := b.now.Load()
	return Call{Op: op, On: Targets{b}, Latency: m.latency, Chances: m.chances}
}

// SetLatency replaces the latency. A bad one fails the test of the scope.
func (b *Behaviour) SetLatency(s Scope, l latency.Distribution) {
	s.T.Helper()
	if err := l.Err(); err != nil {
		s.Fatalf("Latency: %v", err)
	}
	b.change(func(m *manner) { m.latency = l })
}

// LatencyOf takes over the latency of another behaviour.
func (b *Behaviour) LatencyOf(o *Behaviour) {
	latency := o.now.Load().latency
	b.change(func(m *manner) { m.latency = latency })
}

// AddError adds an error with its probability. A bad one fails the test of the scope.
func (b *Behaviour) AddError(s Scope, p float64, err error) {
	s.T.Helper()
	s.Require(p >= 0 && p <= 1 && !math.IsNaN(p), "Errors", p, "is not between 0 and 1")
	s.Require(err != nil, "Errors", err, "is no error")
	b.change(func(m *manner) { m.chances = append(slices.Clip(m.chances), Chance{p, err}) })
}

// TakeBack forgets all errors that AddError has added.
func (b *Behaviour) TakeBack() { b.change(func(m *manner) { m.chances = b.config }) }

// change applies f to a copy, once more if another change came first.
func (b *Behaviour) change(f func(*manner)) {
	for {
		old := b.now.Load()
		m := *old
		f(&m)
		if b.now.CompareAndSwap(old, &m) {
			return
		}
	}
}

// Behaviour returns a new one with the latency and the error rate of the config.
func (cfg Config) Behaviour() *Behaviour {
	return NewBehaviour(cfg.Latency, cfg.ErrorRate, cfg.Error)
}
