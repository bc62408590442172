package pool

import "github.com/go-qtests/qtests/qtests/internal/bubble"

// A step is one thing to do once the lock is free. Exactly one of ch, build,
// destroy and cancel is set.
type step struct {
	ch      chan struct{} // a waiter's, to say that its grant is there
	build   *build
	destroy *entry
	cancel  func()
}

// effects are what a method of core wants done, in order. The first step has a
// place of its own so that the usual hand-over allocates nothing.
type effects struct {
	n       int
	first   step
	more    []step
	marks   []string
	reports []Report
}

func (fx *effects) add(s step) {
	if fx.n == 0 {
		fx.first = s
	} else {
		fx.more = append(fx.more, s)
	}
	fx.n++
}

// mark writes to the event log.
func (fx *effects) mark(text string) { fx.marks = append(fx.marks, text) }

// perform does what was decided under the lock. On the clock of a bubble the steps are
// done in turn: each comes to its end before the next one begins. A waiter is not woken
// while the caller that gave it the resource still runs. So what they do has a
// repeatable order.
func (e *engine) perform(fx *effects) {
	if fx.n == 1 && (fx.first.ch == nil || !bubble.TieFree(e.clk)) {
		e.do(fx.first)
	} else if fx.n > 0 {
		wakes := make([]func(), 0, fx.n)
		for _, s := range append([]step{fx.first}, fx.more...) {
			wakes = append(wakes, func() { e.do(s) })
		}
		bubble.InTurn(e.clk, wakes...)
	}
	for _, text := range fx.marks {
		e.log.Add(e.clk.Now(), "pool "+e.name, text)
	}
	if len(fx.reports) > 0 {
		e.deliver(fx.reports)
	}
}

func (e *engine) do(s step) {
	switch {
	case s.ch != nil:
		s.ch <- struct{}{}
	case s.build != nil:
		go e.build(s.build)
	case s.destroy != nil:
		go e.bury(s.destroy)
	case s.cancel != nil:
		s.cancel()
	}
}
