//lint:file-ignore SA2001 a goroutine that locks and unlocks waits for its turn

package kernels

import (
	"sync"

	"github.com/go-qtests/qtests/qtests"
)

var locks = []Kernel{
	{Name: "lock_order", Bug: func(q *qtests.T) { // AB-BA
		var a, b sync.Mutex
		var wg sync.WaitGroup
		wg.Go(func() { both(&a, &b) })
		wg.Go(func() { both(&b, &a) })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var a, b sync.Mutex
		var wg sync.WaitGroup
		wg.Go(func() { both(&a, &b) })
		wg.Go(func() { both(&a, &b) })
		wg.Wait()
	}},
	{Name: "lock_order_of_three", Bug: func(q *qtests.T) { // a ring of philosophers
		var forks [3]sync.Mutex
		var wg sync.WaitGroup
		for i := range forks {
			wg.Go(func() { both(&forks[i], &forks[(i+1)%3]) })
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var forks [3]sync.Mutex
		var wg sync.WaitGroup
		for i := range forks {
			wg.Go(func() { both(&forks[min(i, (i+1)%3)], &forks[max(i, (i+1)%3)]) })
		}
		wg.Wait()
	}},
	{Name: "transfer_order", Bug: func(q *qtests.T) { // two transfers in opposite directions
		x, y := &account{balance: 10}, &account{balance: 10}
		var wg sync.WaitGroup
		wg.Go(func() { move(x, y, 1) })
		wg.Go(func() { move(y, x, 1) })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		x, y := &account{balance: 10}, &account{balance: 10}
		var wg sync.WaitGroup
		wg.Go(func() { move(x, y, 1) })
		wg.Go(func() { move(x, y, -1) })
		wg.Wait()
	}},
	{Name: "forgotten_unlock_on_error", Bug: func(q *qtests.T) { // the lock stays when the second comes too early
		p := &parser{}
		var wg sync.WaitGroup
		wg.Go(func() { p.open() })
		wg.Go(func() { _ = p.readForgets() })
		wg.Wait()
		p.open()
	}, Fixed: func(q *qtests.T) {
		p := &parser{}
		var wg sync.WaitGroup
		wg.Go(func() { p.open() })
		wg.Go(func() { _ = p.read() })
		wg.Wait()
		p.open()
	}},
	{Name: "unlock_twice", Bug: func(q *qtests.T) { // the early path unlocks, and so does the deferred call
		p := &parser{}
		var wg sync.WaitGroup
		wg.Go(func() { p.open() })
		wg.Go(func() { _ = p.readTwice() })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		p := &parser{}
		var wg sync.WaitGroup
		wg.Go(func() { p.open() })
		wg.Go(func() { _ = p.read() })
		wg.Wait()
	}},
	{Name: "double_lock_by_callback", Bug: func(q *qtests.T) { // a listener calls back into who notifies it
		s := &subject{}
		var wg sync.WaitGroup
		wg.Go(func() { s.listen(func() { s.count() }) })
		wg.Go(s.notifyLocked)
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		s := &subject{}
		var wg sync.WaitGroup
		wg.Go(func() { s.listen(func() { s.count() }) })
		wg.Go(s.notify)
		wg.Wait()
	}},
	{Name: "trylock_gives_up", Bug: func(q *qtests.T) { // work is skipped when another is at it, whatever that one has seen
		var mu sync.Mutex
		var pending, done int
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if !mu.TryLock() {
					return
				}
				pending++
				done++
				mu.Unlock()
			})
		}
		wg.Wait()
		want(q, "the work done", done, 2)
	}, Fixed: func(q *qtests.T) {
		var mu sync.Mutex
		var done int
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				mu.Lock()
				done++
				mu.Unlock()
			})
		}
		wg.Wait()
		want(q, "the work done", done, 2)
	}},
}

func both(first, second *sync.Mutex) {
	first.Lock()
	second.Lock()
	second.Unlock()
	first.Unlock()
}

func move(from, to *account, n int) {
	from.mu.Lock()
	defer from.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance -= n
	to.balance += n
}

type parser struct {
	mu     sync.Mutex
	opened bool
}

func (p *parser) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = true
}

func (p *parser) readForgets() error {
	p.mu.Lock()
	if !p.opened {
		return errBad
	}
	p.mu.Unlock()
	return nil
}

func (p *parser) readTwice() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.opened {
		p.mu.Unlock()
		return errBad
	}
	return nil
}

func (p *parser) read() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.opened {
		return errBad
	}
	return nil
}

type subject struct {
	mu        sync.Mutex
	listeners []func()
}

func (s *subject) listen(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, f)
}

func (s *subject) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.listeners)
}

func (s *subject) notifyLocked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.listeners {
		f()
	}
}

func (s *subject) notify() {
	s.mu.Lock()
	all := append([]func(){}, s.listeners...)
	s.mu.Unlock()
	for _, f := range all {
		f()
	}
}
