package fleet

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet/internal/queue"
)

// ServeHTTP is the server's side: the request waits for a slot and a processor, and then the
// handler of the user gets it.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	f := p.inst.fleet
	f.read(func(s *state) { s.serving++ })
	defer f.change((*state).servedOne)
	if !p.pass(ctx) {
		return
	}
	wait, full, n := p.arrive()
	switch {
	case full:
		w.Header().Set(queueHeader, string(queueFull))
		w.Header().Set("Retry-After", "1")
		http.Error(w, "queue full", http.StatusServiceUnavailable)
		return
	case wait != nil && !p.wait(ctx, wait):
		return
	}
	defer p.leave()
	if !p.compute(ctx, n) {
		return
	}
	began := f.clk.Now()
	p.handler.ServeHTTP(w, r)
	if factor := p.slowness(); factor > 1 {
		p.idle(ctx, time.Duration((factor-1)*float64(f.clk.Since(began))))
	}
	p.pass(ctx)
}

// arrive takes a slot, or a place to wait for one. n is the number of the request.
func (p *process) arrive() (wait queue.Place, full bool, n uint64) {
	p.inst.fleet.read(func(*state) {
		p.requests++
		n = p.requests
		wait, full = p.slots.Enter()
	})
	return wait, full, n
}

// wait waits for a slot. It is false where the client has gone; the slot is then another's.
func (p *process) wait(ctx context.Context, wait queue.Place) bool {
	select {
	case <-wait:
		return true
	case <-ctx.Done():
	}
	quit := false
	p.inst.fleet.read(func(*state) { quit = p.slots.Quit(wait) })
	if !quit {
		p.leave()
	}
	return false
}

// leave gives the slot to who waits for it.
func (p *process) leave() {
	p.inst.fleet.change(func(s *state) {
		if next := p.slots.Leave(); next != nil {
			s.wake(next)
		}
	})
}

// longWait is from when on a wait for a processor ends with its client: to watch the client costs as much as a short wait.
const longWait = time.Second

// compute takes the processor time of request n. It is false where the client has gone.
func (p *process) compute(ctx context.Context, n uint64) bool {
	f := p.inst.fleet
	if p.inst.release.Capacity.CPU.IsZero() {
		return ctx.Err() == nil
	}
	need := p.inst.release.Capacity.CPU.Sample(p.draws.At(n))
	now := f.clk.Now()
	var end time.Time
	f.read(func(*state) { end = p.cpu.Take(now, time.Duration(float64(need)*p.inst.slow)) })
	if d := end.Sub(now); d <= longWait {
		f.clk.Sleep(d)
	} else {
		p.idle(ctx, d)
	}
	return ctx.Err() == nil
}

func (p *process) slowness() (factor float64) {
	p.inst.fleet.read(func(*state) { factor = p.inst.slow })
	return factor
}

// idle waits for d, or until the client has gone.
func (p *process) idle(ctx context.Context, d time.Duration) {
	done, cancel := p.inst.fleet.clk.WithTimeout(ctx, d)
	defer cancel()
	<-done.Done()
}

// pass waits as long as the instance hangs. It is false where the client has gone.
func (p *process) pass(ctx context.Context) bool {
	var gate chan struct{}
	p.inst.fleet.read(func(*state) {
		if p.inst.hung {
			gate = make(chan struct{})
			p.inst.gates = append(p.inst.gates, gate)
		}
	})
	if gate == nil {
		return true
	}
	select {
	case <-gate:
		return ctx.Err() == nil
	case <-ctx.Done():
	}
	p.inst.fleet.read(func(*state) {
		p.inst.gates = slices.DeleteFunc(p.inst.gates, func(g chan struct{}) bool { return g == gate })
	})
	return false
}

// servedOne is the end of a request on the server's side.
func (s *state) servedOne() {
	s.serving--
	if s.serving == 0 && s.idle != nil {
		s.wake(s.idle)
		s.idle = nil
	}
}

// accepting returns the listener of a process. Without one of its own it serves net/http.
func (p *process) accepting(q T) *qtests.Listener {
	var l *qtests.Listener
	p.inst.fleet.read(func(*state) { l = p.listener })
	if l == nil {
		p.serve(q)
		l = p.listener
	}
	return l
}

// serve starts net/http for the handler.
func (p *process) serve(q T) {
	server := q.Serve(p)
	p.inst.fleet.read(func(*state) {
		p.server = server
		if p.listener == nil {
			p.listener = server.Listener()
		}
	})
}

// shut ends the listener and the server of a process.
func (p *process) shut() {
	var l *qtests.Listener
	var server *qtests.Server
	p.inst.fleet.read(func(*state) { l, server = p.listener, p.server })
	if l != nil {
		_ = l.Close()
	}
	if server != nil { // in a goroutine of its own, because it waits for handlers
		p.inst.fleet.q.Go(server.Close)
	}
}
