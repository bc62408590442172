package fleet

import (
	"net/http"
	"time"
)

// probeAll starts the probes of a process: each goes on until the process ends.
func (f *Fleet) probeAll(p *process, warm bool) {
	i, life := p.inst, p.inst.release.Life
	f.probe(p, life.Readiness, &p.ready, warm, func(s *state, ok bool) {
		if !i.leaving {
			s.setReady(i, ok)
		}
	})
	f.probe(p, life.Liveness, &p.live, warm, func(s *state, ok bool) {
		if !ok && !i.leaving {
			s.crash(i, "failed its liveness probe")
		}
	})
	f.probe(p, f.cfg.Health, &p.healthy, warm, func(s *state, ok bool) { s.balancer.SetFailing(i.name, !ok) })
}

// probe asks again and again. changed is told when the answers add up to something else.
func (f *Fleet) probe(p *process, cfg Probe, x *prober, warm bool, changed func(s *state, ok bool)) {
	if !cfg.set() {
		return
	}
	var ask func()
	ask = func() {
		began := f.clk.Now()
		ok := f.ask(p, cfg)
		ended := false
		f.change(func(s *state) {
			ended = p.ended
			if !ended && x.result(cfg, ok) {
				changed(s, ok)
			}
		})
		if !ended {
			f.after(max(0, cfg.Period-f.clk.Since(began)), ask)
		}
	}
	delay := cfg.Delay
	if warm {
		delay = cfg.Period
	}
	f.after(delay, ask)
}

// ask sends one probe. It is no request that counts.
func (f *Fleet) ask(p *process, cfg Probe) bool {
	serves, hung := false, false
	f.read(func(*state) { serves, hung = p.inst.serves() && p.inst.process == p, p.inst.hung })
	switch {
	case !serves:
		return false
	case cfg.Listening:
		return !hung
	}
	ctx, cancel := f.clk.WithTimeout(p.ctx, cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.inst.name+cfg.Path, nil)
	if err != nil {
		return false
	}
	began := f.clk.Now()
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return false
	}
	drain(resp)
	return resp.StatusCode >= 200 && resp.StatusCode < 400 && f.clk.Since(began) <= cfg.Timeout+time.Millisecond
}
