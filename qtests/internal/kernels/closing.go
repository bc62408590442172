package kernels

import (
	"sync"

	"github.com/go-qtests/qtests/qtests"
)

var closing = []Kernel{
	{Name: "double_close", Bug: func(q *qtests.T) { // a closer that looks first
		c := &closer{done: make(chan struct{})}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				select {
				case <-c.done:
				default:
					close(c.done)
				}
			})
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		c := &closer{done: make(chan struct{})}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { c.once.Do(func() { close(c.done) }) })
		}
		wg.Wait()
	}},
	{Name: "send_on_closed", Bug: func(q *qtests.T) { // the owner closes while another sends
		c := make(chan int, 2)
		var wg sync.WaitGroup
		wg.Go(func() { c <- 1 })
		wg.Go(func() { close(c) })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		c := make(chan int, 2)
		var senders, wg sync.WaitGroup
		senders.Go(func() { c <- 1 })
		wg.Go(func() { senders.Wait(); close(c) })
		wg.Wait()
	}},
	{Name: "send_after_check_of_closed", Bug: func(q *qtests.T) { // closed is looked at under the lock, and used behind it
		h := &hub{out: make(chan int, 1)}
		var wg sync.WaitGroup
		wg.Go(func() { h.sendLate(1) })
		wg.Go(h.close)
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		h := &hub{out: make(chan int, 1)}
		var wg sync.WaitGroup
		wg.Go(func() { h.send(1) })
		wg.Go(h.close)
		wg.Wait()
	}},
	{Name: "nil_after_close", Bug: func(q *qtests.T) { // a pointer that Close clears between the check and the use
		s := &session{conn: &conn{}}
		var wg sync.WaitGroup
		wg.Go(func() {
			if s.conn != nil {
				s.conn.writes++
			}
		})
		wg.Go(func() { s.conn = nil })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		s := &session{conn: &conn{}}
		var wg sync.WaitGroup
		wg.Go(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.conn != nil {
				s.conn.writes++
			}
		})
		wg.Go(func() { s.mu.Lock(); defer s.mu.Unlock(); s.conn = nil })
		wg.Wait()
	}},
}

type closer struct {
	done chan struct{}
	once sync.Once
}

type hub struct {
	mu     sync.Mutex
	closed bool
	out    chan int
}

func (h *hub) sendLate(v int) {
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if !closed {
		h.out <- v
	}
}

func (h *hub) send(v int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.out <- v
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	close(h.out)
}

type conn struct{ writes int }

type session struct {
	mu   sync.Mutex
	conn *conn
}
