package kernels

import (
	"sync"

	"github.com/go-qtests/qtests/qtests"
)

var conds = []Kernel{
	{Name: "lost_wake_up", Bug: func(q *qtests.T) { // the condition is looked at before the lock is taken
		g := newGate()
		var wg sync.WaitGroup
		wg.Go(func() {
			g.mu.Lock()
			open := g.open
			g.mu.Unlock()
			if !open {
				g.mu.Lock()
				g.cond.Wait()
				g.mu.Unlock()
			}
		})
		wg.Go(g.opens)
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		g := newGate()
		var wg sync.WaitGroup
		wg.Go(g.wait)
		wg.Go(g.opens)
		wg.Wait()
	}},
	{Name: "if_instead_of_for", Bug: func(q *qtests.T) { // who is woken finds that another was faster
		s := newStock()
		var wg sync.WaitGroup
		wg.Go(func() { s.takeIf() })
		wg.Go(func() { s.takeIf() })
		wg.Go(func() { s.put(); s.put() })
		wg.Wait()
		want(q, "the least stock", s.least, 0)
	}, Fixed: func(q *qtests.T) {
		s := newStock()
		var wg sync.WaitGroup
		wg.Go(func() { s.take() })
		wg.Go(func() { s.take() })
		wg.Go(func() { s.put(); s.put() })
		wg.Wait()
		want(q, "the least stock", s.least, 0)
	}},
	{Name: "signal_of_the_wrong_kind", Bug: func(q *qtests.T) { // Signal wakes one of two kinds of waiters
		b := newBuffer()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(b.getSignal)
			wg.Go(b.putSignal)
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		b := newBuffer()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(b.get)
			wg.Go(b.put)
		}
		wg.Wait()
	}},
}

type gate struct {
	mu   sync.Mutex
	cond *sync.Cond
	open bool
}

func newGate() *gate {
	g := &gate{}
	g.cond = sync.NewCond(&g.mu)
	return g
}

func (g *gate) opens() {
	g.mu.Lock()
	g.open = true
	g.cond.Broadcast()
	g.mu.Unlock()
}

func (g *gate) wait() {
	g.mu.Lock()
	for !g.open {
		g.cond.Wait()
	}
	g.mu.Unlock()
}

type stock struct {
	mu       sync.Mutex
	cond     *sync.Cond
	n, least int
}

func newStock() *stock {
	s := &stock{}
	s.cond = sync.NewCond(&s.mu)
	return s
}

func (s *stock) put() {
	s.mu.Lock()
	s.n++
	s.mu.Unlock()
	s.cond.Broadcast()
}

func (s *stock) takeIf() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == 0 {
		s.cond.Wait()
	}
	s.n--
	s.least = min(s.least, s.n)
}

func (s *stock) take() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.n == 0 {
		s.cond.Wait()
	}
	s.n--
	s.least = min(s.least, s.n)
}

// A buffer has room for one.
type buffer struct {
	mu   sync.Mutex
	cond *sync.Cond
	full bool
}

func newBuffer() *buffer {
	b := &buffer{}
	b.cond = sync.NewCond(&b.mu)
	return b
}

func (b *buffer) change(full bool, wake func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.full == full {
		b.cond.Wait()
	}
	b.full = full
	wake()
}

func (b *buffer) getSignal() { b.change(false, b.cond.Signal) }
func (b *buffer) putSignal() { b.change(true, b.cond.Signal) }
func (b *buffer) get()       { b.change(false, b.cond.Broadcast) }
func (b *buffer) put()       { b.change(true, b.cond.Broadcast) }
