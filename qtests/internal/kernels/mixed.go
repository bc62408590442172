package kernels

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// mixed are of two means at once: a lock and a group, a channel and a group, a snapshot and an
// atomic.
var mixed = []Kernel{
	{Name: "wait_under_the_lock", Bug: func(q *qtests.T) { // who stops holds the lock that the worker needs to end
		s := &stopper{}
		s.begin()
		s.stopLocked()
	}, Fixed: func(q *qtests.T) {
		s := &stopper{}
		s.begin()
		s.stop()
	}},
	{Name: "semaphore_by_halves", Bug: func(q *qtests.T) { // two take one of two places each, and want the other
		places := make(chan struct{}, 2)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				places <- struct{}{}
				places <- struct{}{}
				<-places
				<-places
			})
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		places := make(chan struct{}, 2)
		var both sync.Mutex
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				both.Lock()
				places <- struct{}{}
				places <- struct{}{}
				both.Unlock()
				<-places
				<-places
			})
		}
		wg.Wait()
	}},
	{Name: "answer_of_another_request", Bug: func(q *qtests.T) { // after a timeout the next caller gets the late answer
		s := newAsker()
		defer s.close()
		_ = s.ask(1, time.Second)
		want(q, "the answer to 2", s.ask(2, time.Minute), 2)
	}, Fixed: func(q *qtests.T) {
		s := newAsker()
		defer s.close()
		_ = s.askApart(1, time.Second)
		want(q, "the answer to 2", s.askApart(2, time.Minute), 2)
	}},
	{Name: "event_before_the_subscriber", Bug: func(q *qtests.T) { // what is published meanwhile reaches nobody
		var b board
		got := make(chan int, 1)
		go func() { b.publish(7) }()
		b.subscribe(func(v int) { got <- v })
		want(q, "the event", <-got, 7)
	}, Fixed: func(q *qtests.T) {
		var b board
		got := make(chan int, 1)
		b.subscribe(func(v int) { got <- v })
		go func() { b.publish(7) }()
		want(q, "the event", <-got, 7)
	}},
	{Name: "copy_on_write_lost", Bug: func(q *qtests.T) { // two copies of one snapshot, and the last one stays
		var list atomic.Pointer[[]string]
		list.Store(&[]string{})
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				next := append((*list.Load())[:0:0], *list.Load()...)
				next = append(next, name(i))
				list.Store(&next)
			})
		}
		wg.Wait()
		want(q, "the length", len(*list.Load()), 2)
	}, Fixed: func(q *qtests.T) {
		var list atomic.Pointer[[]string]
		list.Store(&[]string{})
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				for {
					old := list.Load()
					next := append(append((*old)[:0:0], *old...), name(i))
					if list.CompareAndSwap(old, &next) {
						return
					}
				}
			})
		}
		wg.Wait()
		want(q, "the length", len(*list.Load()), 2)
	}},
	{Name: "workers_wait_for_their_queue", Bug: func(q *qtests.T) { // all workers add jobs to the full queue that they empty
		want(q, "jobs", work(1), 6)
	}, Fixed: func(q *qtests.T) {
		want(q, "jobs", work(6), 6)
	}},
}

// A stopper has a worker that counts under the lock.
type stopper struct {
	mu   sync.Mutex
	wg   sync.WaitGroup
	done int
}

func (s *stopper) begin() {
	s.wg.Go(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.done++
	})
}

func (s *stopper) stopLocked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wg.Wait()
}

func (s *stopper) stop() {
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = 0
}

// An asker answers a question after as many seconds as the question says.
type asker struct {
	questions chan question
	answers   chan int
	wg        sync.WaitGroup
}

type question struct {
	n  int
	to chan int
}

func newAsker() *asker {
	a := &asker{questions: make(chan question, 2), answers: make(chan int, 2)}
	a.wg.Go(func() {
		for q := range a.questions {
			time.Sleep(time.Duration(q.n) * time.Second)
			q.to <- q.n
		}
	})
	return a
}

func (a *asker) ask(n int, limit time.Duration) int { return a.askTo(n, limit, a.answers) }

func (a *asker) askApart(n int, limit time.Duration) int {
	return a.askTo(n, limit, make(chan int, 1))
}

func (a *asker) askTo(n int, limit time.Duration, to chan int) int {
	a.questions <- question{n, to}
	select {
	case v := <-to:
		return v
	case <-time.After(limit):
		return 0
	}
}

func (a *asker) close() {
	close(a.questions)
	a.wg.Wait()
}

// A board tells subscribers what is published, and forgets it.
type board struct {
	mu   sync.Mutex
	tell []func(int)
}

func (b *board) subscribe(f func(int)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell = append(b.tell, f)
}

func (b *board) publish(v int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.tell {
		f(v)
	}
}

// work has two workers do two jobs by a queue with so much room. Each job brings two more.
func work(room int) int {
	jobs := make(chan int, room)
	var left sync.WaitGroup
	var done atomic.Int64
	for range 2 {
		go func() {
			for more := range jobs {
				for range more {
					left.Add(1)
					jobs <- 0
				}
				done.Add(1)
				left.Done()
			}
		}()
	}
	left.Add(2)
	jobs <- 2
	jobs <- 2
	left.Wait()
	close(jobs)
	return int(done.Load())
}
