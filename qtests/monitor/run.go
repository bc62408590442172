package monitor

import (
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/monitor/internal/covered"
)

// run scrapes at start + k*interval, and looks at the groups of alerts when they
// are due, for ever.
func (m *Monitor) run(timer *clock.Timer) {
	for k := int64(1); ; {
		select {
		case <-timer.C:
		case <-m.kick:
			timer.Stop()
		case <-m.ctx.Done():
			timer.Stop()
			return
		}
		now := m.clk.Now()
		if at := m.nominal(k); !now.Before(at) {
			k = m.tick(k, now)
		}
		m.flushDue(now)
		timer = m.clk.Timer(max(0, m.clk.Until(m.next(k))))
	}
}

// nominal returns the instant of the k-th scrape.
func (m *Monitor) nominal(k int64) time.Time {
	return m.start.Add(time.Duration(k) * m.cfg.Interval)
}

// tick makes the k-th scrape and returns the number of the next. Instants that
// have already passed when their turn comes are left out and counted.
func (m *Monitor) tick(k int64, now time.Time) int64 {
	if missed := int64(now.Sub(m.nominal(k)) / m.cfg.Interval); missed > 0 {
		m.locked(func(s *state) { s.status.Missed += missed })
		k += missed
	}
	_ = m.scrape(m.ctx, m.nominal(k)) // kept in the status
	return k + 1
}

// next returns when the loop has to do something: the k-th scrape or a look at a
// group.
func (m *Monitor) next(k int64) time.Time {
	at := m.nominal(k)
	m.locked(func(s *state) {
		if due, ok := s.dispatcher.Due(); ok && due.Before(at) {
			at = due
		}
	})
	return at
}

// flushDue looks at the groups that are due between two scrapes.
func (m *Monitor) flushDue(now time.Time) {
	m.locked(func(s *state) {
		if due, ok := s.dispatcher.Due(); ok && !due.After(now) {
			m.flush(s, due)
		}
	})
}

// Close gives up the scrape under way, if there is one, and returns when scraping has
// stopped. It does not wait for a gatherer or a channel that blocks: their contexts have
// ended. Notifications that are not delivered by then are dropped. History and alerts
// stay readable. Close does not scrape: call Scrape before it to see the last values.
// Further calls do nothing.
func (m *Monitor) Close() {
	m.cancel()
	m.loops.Wait()
	m.closed.Do(m.cover)
}

// cover adds what the alerts did to the coverage of the process.
func (m *Monitor) cover() {
	if !covered.On() {
		return
	}
	var all []covered.Count
	m.locked(func(s *state) {
		for _, r := range m.rules {
			if r.Record != "" {
				continue
			}
			c := covered.Count{Origin: r.Origin, Name: r.Name, Monitors: 1, Pending: r.tally.pending, Fired: r.fired, Resolved: r.resolved}
			switch {
			case r.fired > 0:
				c.Tests = []string{m.test}
			case r.tally.pending == 0:
				for _, x := range m.unmatched(s, r) {
					c.Missing = append(c.Missing, x.String())
				}
			}
			all = append(all, c)
		}
	})
	covered.Add(all)
}
