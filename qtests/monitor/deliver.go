package monitor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// startReceivers makes the routes, and a goroutine for every channel.
func (m *Monitor) startReceivers() {
	behind := map[string][]alert.Target{}
	add := func(name string, c Channel, firingOnly bool) {
		n := len(m.receivers)
		behind[name] = append(behind[name], alert.Target{Number: n, FiringOnly: firingOnly})
		r := newReceiver(n, c, name)
		m.receivers = append(m.receivers, r)
		m.loops.Add(1)
		go func() {
			defer m.loops.Done()
			m.serve(r)
		}()
	}
	for _, c := range m.cfg.Channels {
		add("", c, false)
	}
	for _, r := range m.cfg.Receivers {
		for _, c := range r.Channels {
			add(r.Name, c, r.FiringOnly)
		}
	}
	m.mu.dispatcher = alert.NewTree(m.cfg.Route.node("{}", behind), m.mu.muting.muted)
}

// flush hands what is due at the instant to the receivers. It never blocks; the
// goroutines of the receivers wake after the lock is free.
func (m *Monitor) flush(s *state, at time.Time) {
	var wakes []func()
	for _, n := range s.dispatcher.Flush(at) {
		r := m.receivers[n.Receiver]
		if len(r.queue)+len(wakes) >= maxQueue { // any of the wakes may be for this queue
			s.dispatcher.Done(n, false)
			_ = s.status.note(fmt.Errorf("monitor: %s: %d notifications are waiting already", r.name, maxQueue))
			continue
		}
		wakes = append(wakes, func() {
			select {
			case r.queue <- n:
			case <-m.ctx.Done():
			}
		})
	}
	bubble.InTurn(m.clk, wakes...)
}

// serve is the goroutine of one receiver.
func (m *Monitor) serve(r *receiver) {
	for {
		select {
		case n := <-r.queue:
			err := r.deliver(m.ctx, m.clk, n)
			m.locked(func(s *state) { m.delivered(s, r, n, err) })
		case <-m.ctx.Done():
			return
		}
	}
}

// delivered takes the end of a delivery.
func (m *Monitor) delivered(s *state, r *receiver, n alert.Notification, err error) {
	s.dispatcher.Done(n, err == nil)
	switch {
	case err == nil:
		s.status.Notified++
		s.told.remember(r.public, m.clk.Now(), n.Alerts)
	case !errors.Is(err, ErrClosed):
		s.status.NotifyErrors++
		_ = s.status.note(fmt.Errorf("monitor: %s: %w", r.name, err))
		m.cfg.EventLog.Add(m.clk.Now(), r.name, "failed: "+err.Error())
	}
}

// Silence mutes, from now on for d, the alerts whose labels all matchers choose.
// Without matchers, or for a d that is not positive, it does nothing.
func (m *Monitor) Silence(d time.Duration, matchers ...Matcher) {
	if d <= 0 || len(matchers) == 0 {
		return
	}
	at := m.clk.Now().Sub(m.start)
	m.locked(func(s *state) {
		// Silences that have ended would pile up.
		silences := slices.DeleteFunc(s.muting.silences, func(x Silence) bool { return x.For > 0 && x.At+x.For <= at })
		s.muting.silences = append(silences, Silence{slices.Clone(matchers), at, d})
	})
}
