package breaker

import (
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests/breaker/internal/outbox"
)

// Hooks joins breakers that share one OnTransition: those with the same *Hooks call their
// functions one at a time, in the order of all their transitions. The zero value is ready.
// It is safe for concurrent use.
type Hooks struct {
	shared atomic.Pointer[outbox.Queue[delivery]]
}

// queue makes the queue at its first use. It is behind a pointer, because fmt reads every
// field of what it prints, and printing Hooks in use would be a race.
func (h *Hooks) queue() *outbox.Queue[delivery] {
	if q := h.shared.Load(); q != nil {
		return q
	}
	h.shared.CompareAndSwap(nil, new(outbox.Queue[delivery]))
	return h.shared.Load()
}

// A delivery is a transition on its way to the OnTransition of its breaker.
type delivery struct {
	to *Breaker
	t  Transition
}

func (d delivery) run() {
	d.to.queued.Add(-1)
	d.to.cfg.OnTransition(d.t)
}

// enqueue puts a transition into the queue of the hooks. What exceeds Config.LogSize is
// dropped and counted. The caller holds b.mu, which keeps the order.
func (b *Breaker) enqueue(t Transition) {
	if b.queued.Load() >= int64(b.cfg.LogSize) {
		b.mu.hooksDropped++
		return
	}
	b.queued.Add(1)
	b.hooks.Put(delivery{b, t})
}
