package fleet

import (
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
func (s *state) create(release *Release, warm bool) {
	s.serial++
	f := s.fleet
	i := &Instance{
		fleet: f, number: s.serial, name: f.cfg.instanceName(s.serial), zone: s.emptiestZone(), release: release,
		slow: 1, created: f.clk.Now(), why: map[reason]uint64{}, links: map[string]*Link{},
	}
	s.all = append(s.all, i)
	s.start(i, warm)
}

// start begins a process of the instance.
func (s *state) start(i *Instance, warm bool) {
	i.starts++
	i.phase, i.sampled = Starting, sampled{}
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

// setReady says whether an instance is ready. The balancer is told later.
func (s *state) setReady(i *Instance, ready bool) {
	if i.ready == ready {
		return
	}
	i.ready, i.since = ready, s.fleet.clk.Now()
	s.tell(i, ready)
}

// tell tells the balancer, when the lag is over.
func (s *state) tell(i *Instance, ready bool) {
	f := s.fleet
	lag := i.release.Life.EndpointLag
	if lag == 0 {
		s.setEndpoint(i, ready)
		return
	}
	s.effect(func() {
		f.after(lag, func() { f.change(func(s *state) { s.setEndpoint(i, ready) }) })
	})
}

// setEndpoint lets the balancer have an instance, or not.
func (s *state) setEndpoint(i *Instance, in bool) {
	if (s.endpoints[i.name] != nil) == in || in && i.phase == Stopped {
		return
	}
	if !in {
		s.balancer.Remove(i.name)
		delete(s.endpoints, i.name)
		return
	}
	s.endpoints[i.name] = i
	_, _ = s.balancer.Add(i.name, i.zone, 1) // a new name, and a weight of 1
	s.balancer.SetFailing(i.name, !i.process.healthy.well)
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

// readyWithoutProbe is what Kubernetes does where there is no readiness probe: the process exists.
func (s *state) readyWithoutProbe(i *Instance) {
	if !i.release.Life.Readiness.set() {
		s.setReady(i, true)
	}
}

// end ends a process: what it serves breaks off.
func (s *state) end(p *process) {
	if p.ended {
		return
	}
	p.ended, p.closed = true, true
	clk := s.fleet.clk
	var wakes []func()
	for _, a := range p.attempts.all() {
		wakes = append(wakes, func() { a.cancel(errBroken) })
	}
	for _, c := range p.conns {
		wakes = append(wakes, func() { _ = c.Conn.Close() })
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
	i.process.closed = true
	if l := i.process.listener; l != nil {
		s.effect(func() { _ = l.Close() })
	}
	s.drained(i)
}

// drained ends a process that accepts nothing new and has nothing left to serve.
func (s *state) drained(i *Instance) {
	p := i.process
	if i.phase == Stopping && p.closed && !p.ended && p.attempts.n == 0 && len(p.conns) == 0 {
		s.end(p)
		s.gone(i)
	}
}

// kill is SIGKILL.
func (s *state) kill(i *Instance) {
	if i.phase != Stopping {
		return
	}
	if n := i.process.attempts.n + len(i.process.conns); n > 0 {
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
