package failover

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/pool/internal/callback"
)

// This file has the health checks and the moves.

// openSet holds which breakers are open, one bit per backend.
type openSet uint64

// openBreakers asks the breakers. It is called without the lock: a breaker that is
// asked may call the hooks of its user.
func (f *Failover[R]) openBreakers() (s openSet) {
	for i, b := range f.breakers {
		if b.State() == breaker.Open {
			s |= 1 << i
		}
	}
	return s
}

// current returns the active backend after any move that is due.
func (f *Failover[R]) current() int { return f.update(func(*core, instant) {}) }

// update changes what is known of the backends and returns the active one after
// any move that follows.
func (f *Failover[R]) update(change func(c *core, now instant)) (active int) {
	open := f.openBreakers()
	var leave []func()
	f.locked(func(s *state) {
		now := f.now()
		change(&s.core, now)
		if open.has(s.core.active) {
			s.core.down(s.core.active, "breaker open", now)
		}
		if m, moved := s.core.choose(now, open.has); moved {
			s.moves++
			f.log.Add(f.clk.Now(), "failover "+f.name,
				fmt.Sprintf("%s → %s: %s", f.pools[m.from].Name(), f.pools[m.to].Name(), m.reason))
		}
		f.arm(s, now)
		active = s.core.active
		leave = s.visits.leaving(&s.core)
	})
	bubble.InTurn(f.clk, leave...)
	return active
}

func (s openSet) has(i int) bool { return s>>i&1 == 1 }

// tripped notes that a backend has failed a caller. It returns the backends that may
// serve the caller instead.
func (f *Failover[R]) tripped(i int) (alternatives []int) {
	open := f.openBreakers().has(i)
	f.update(func(c *core, now instant) {
		if open {
			c.down(i, "breaker open", now)
		}
		alternatives = c.alternatives(i)
	})
	return alternatives
}

// arm sets the timer for the move back, so that it is made at its instant without a
// call.
func (f *Failover[R]) arm(s *state, now instant) {
	at := s.core.returnAt()
	if at <= now || s.closed {
		at = 0
	}
	if at == s.backAt {
		return
	}
	if s.back != nil {
		s.back.Stop()
	}
	s.backAt, s.back = at, nil
	if at != 0 {
		s.back = f.clk.AfterFunc(at-now, func() { f.current() })
	}
}

// start schedules the first check of each backend.
func (f *Failover[R]) start() {
	f.locked(func(s *state) {
		s.timers = make([]*clock.Timer, len(f.pools))
		for i := range f.pools {
			f.schedule(s, i, f.now()+f.interval)
		}
	})
}

// schedule sets the next check of a backend for the instant due.
func (f *Failover[R]) schedule(s *state, i int, due instant) {
	s.timers[i] = f.clk.AfterFunc(max(1, due-f.now()), func() { f.check(i, due) })
}

// check runs Health. Its result counts once: the error that it returns, or
// context.DeadlineExceeded when it takes too long. The next check waits until Health has
// returned.
func (f *Failover[R]) check(i int, due instant) {
	closed := false
	f.locked(func(s *state) {
		if closed = s.closed; !closed {
			f.checks.Add(1)
		}
	})
	if closed {
		return
	}
	ctx, cancel := f.clk.WithTimeout(f.ctx, f.timeout)
	var judged sync.Once
	judge := func(err error) {
		judged.Do(func() {
			f.update(func(c *core, now instant) { c.checked(i, text(err), now) })
		})
	}
	late := f.clk.AfterFunc(f.timeout, func() { judge(context.DeadlineExceeded) })
	go callback.Run(func() error { return f.health(ctx, f.configs[i]) }, func(err error) {
		late.Stop()
		cancel()
		judge(err)
		f.locked(func(s *state) {
			if !s.closed {
				f.schedule(s, i, f.nextCheck(due))
			}
		})
		f.checks.Done()
	})
}

// nextCheck is the first instant after now on the grid that due is on.
func (f *Failover[R]) nextCheck(due instant) instant {
	if late := f.now() - due; late >= f.interval {
		due += late / f.interval * f.interval
	}
	return due + f.interval
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(err.Error(), "unnamed error")
}

// stop ends the health checks.
func (f *Failover[R]) stop() {
	f.locked(func(s *state) {
		s.closed = true
		for _, t := range append(s.timers, s.back) {
			if t != nil {
				t.Stop()
			}
		}
	})
	f.cancel()
}

// wait waits until the last call of Health has returned or ctx ends. Called from
// inside Health it does not wait, because Health waits for it.
func (f *Failover[R]) wait(ctx context.Context) error {
	if callback.Inside() {
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.checks.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("failover: %s: a health check has not returned: %w", f.name, ctx.Err())
	}
}
