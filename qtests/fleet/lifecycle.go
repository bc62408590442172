package fleet

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// The back-off of Kubernetes between the crashes of one process: none, 10 s, 20 s, 40 s, … 5 min. After ten
// minutes without a crash it begins anew.
const (
	firstBackOff = 10 * time.Second
	mostBackOff  = 5 * time.Minute
	backOffReset = 10 * time.Minute
)

// backOff is how long a process waits for its next start after so many crashes in a row.
func backOff(crashes int) time.Duration {
	if crashes < 2 {
		return 0
	}
	return min(mostBackOff, time.Duration(float64(firstBackOff)*math.Pow(2, float64(min(crashes-2, 10)))))
}

// create makes an instance. A warm one is ready at once.
func (s *state) create(release *Release, zone string, warm bool) {
	s.serial++
	f := s.fleet
	i := &Instance{
		fleet: f, number: s.serial, name: fmt.Sprintf("%s-%d", f.cfg.Name, s.serial), zone: zone, release: release,
		slow: 1, created: f.clk.Now(), why: map[reason]uint64{}, links: map[string]*Link{},
	}
	s.all = append(s.all, i)
	s.start(i, warm)
}

// start begins a process of the instance.
func (s *state) start(i *Instance, warm bool) {
	i.starts++
	i.phase = Starting
	s.setReady(i, false)
	p := newProcess(i, s.fleet.clk.Now())
	i.process = p
	s.effect(func() { s.fleet.boot(p, warm) })
}

// boot lets the user make the handler. It runs without the lock.
func (f *Fleet) boot(p *process, warm bool) {
	i := p.inst
	err := f.guard("New of "+i.name, func() error {
		p.handler = i.release.New(i)
		return nil
	})
	if p.handler == nil {
		p.handler = http.NotFoundHandler()
	}
	if f.cfg.Wire {
		p.serve(f.q)
		p.transport = p.server.Client().Transport
	} else {
		p.transport = f.q.Direct(p).Transport
	}
	if err != nil {
		f.change(func(s *state) { s.crash(i, "New failed") })
		return
	}
	f.mark("%s: starts, %s", i.name, i.release.Version)
	life := i.release.Life
	startUp := life.StartUp.Sample(f.stream.Sub("start-up " + i.name).At(uint64(i.Starts())))
	if warm {
		startUp = 0
	}
	if startUp == 0 {
		f.change(func(s *state) { s.listen(p, warm) })
	} else {
		f.after(startUp, func() { f.change(func(s *state) { s.listen(p, false) }) })
	}
	f.probeAll(p, warm)
}

// listen is when a process begins to accept connections.
func (s *state) listen(p *process, warm bool) {
	i := p.inst
	if p.ended || i.process != p || i.phase != Starting {
		return
	}
	i.phase = Running
	if warm {
		p.ready.well = true
		i.ready, i.since = true, s.fleet.clk.Now()
		s.setEndpoint(i, true)
	}
}

// crash ends the process of an instance, and lets it start again.
func (s *state) crash(i *Instance, why string) {
	p := i.process
	if p.ended || i.phase == Stopped {
		return
	}
	now := s.fleet.clk.Now()
	s.effect(func() { s.fleet.mark("%s: %s", i.name, why) })
	if now.Sub(p.started) >= backOffReset {
		i.crashes = 0
	}
	i.crashes++
	s.end(p)
	if i.phase == Stopping {
		s.gone(i)
		return
	}
	i.phase = Crashed
	s.setReady(i, false)
	if !i.lost {
		s.restartIn(i, backOff(i.crashes))
	}
}

// restartIn starts the next process, unless something happens to the instance before.
func (s *state) restartIn(i *Instance, d time.Duration) {
	p, f := i.process, s.fleet
	s.effect(func() {
		f.after(d, func() {
			f.change(func(s *state) {
				if i.process == p && i.phase == Crashed && !i.lost {
					s.start(i, false)
					s.readyWithoutProbe(i)
				}
			})
		})
	})
}

// end ends a process: what it serves breaks off.
func (s *state) end(p *process) {
	if p.ended {
		return
	}
	p.ended, p.closed = true, true
	clk := s.fleet.clk
	var wakes []func()
	for _, u := range slices.Concat(p.attempts.all(), p.conns.all()) {
		wakes = append(wakes, func() { u.cancel(errBroken) })
	}
	hooks := slices.Clone(p.hooks)
	s.effect(func() {
		qtests.InTurn(clk, wakes...)
		p.cancel()
		p.shut()
		for _, hook := range slices.Backward(hooks) {
			_ = s.fleet.guard("OnStop of "+p.inst.name, func() error { hook(); return nil })
		}
	})
}

// stop lets an instance end as Kubernetes does: the balancer is told, and meanwhile PreStop runs; then SIGTERM; then, when
// Grace is over, SIGKILL.
func (s *state) stop(i *Instance) {
	if i.leaving || i.phase == Stopped {
		return
	}
	i.leaving = true
	f, p, life := s.fleet, i.process, i.release.Life
	s.effect(func() { f.mark("%s: is told to stop", i.name) })
	s.setReady(i, false)
	if p.ended || i.lost {
		s.end(p)
		s.gone(i)
		return
	}
	i.phase = Stopping
	s.effect(func() {
		f.after(life.PreStop, func() { f.change(func(s *state) { s.term(i) }) })
		f.after(life.Grace, func() { f.change(func(s *state) { s.kill(i) }) })
	})
}

// term is SIGTERM.
func (s *state) term(i *Instance) {
	if i.phase != Stopping || i.process.closed {
		return
	}
	if i.release.Life.DiesOnTerm {
		s.kill(i)
		return
	}
	p := i.process
	p.closed = true
	terms := slices.Clone(p.terms)
	if server := p.server; server != nil {
		terms = append(terms, func() { _ = server.HTTPServer().Shutdown(p.ctx) })
	}
	p.terming = len(terms)
	l := p.listener
	s.effect(func() {
		if l != nil {
			_ = l.Close()
		}
		for _, term := range terms {
			s.fleet.q.Go(func() { s.fleet.terminate(p, term) })
		}
	})
	s.drained(i)
}

// terminate lets a process do what it does when it is told to end.
func (f *Fleet) terminate(p *process, term func()) {
	_ = f.guard("OnTerm of "+p.inst.name, func() error { term(); return nil })
	f.change(func(s *state) {
		p.terming--
		s.drained(p.inst)
	})
}

// drained ends a process that accepts nothing new and has nothing left to do.
func (s *state) drained(i *Instance) {
	p := i.process
	if i.phase == Stopping && p.closed && !p.ended && p.terming == 0 && p.attempts.n == 0 && p.conns.n == 0 {
		s.end(p)
		s.gone(i)
	}
}

// kill is SIGKILL.
func (s *state) kill(i *Instance) {
	if i.phase != Stopping {
		return
	}
	if n := i.process.attempts.n + i.process.conns.n; n > 0 {
		s.effect(func() { s.fleet.mark("%s: is killed with %d under way", i.name, n) })
	}
	s.end(i.process)
	s.gone(i)
}

// gone takes an instance out of the fleet.
func (s *state) gone(i *Instance) {
	i.phase = Stopped
	s.all = slices.DeleteFunc(s.all, func(x *Instance) bool { return x == i })
	s.remember(i)
	s.effect(func() { s.fleet.mark("%s: has stopped", i.name) })
}
