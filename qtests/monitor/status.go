package monitor

import (
	"errors"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/covered"
)

// A Status is what a monitor did so far.
type Status struct {
	// Scrapes counts them, failed ones too. Missed counts the regular ones left
	// out because an earlier one, or a clock that jumped, took too long, and
	// OutOfOrder those refused because the clock went back.
	Scrapes, Missed, OutOfOrder int64
	// Errors counts the errors of gatherers and rules. LastError is the newest.
	Errors    int64
	LastError error
	// LimitError is the first error that is ErrTooManySeries.
	LimitError error
	// Notified counts the notifications that a channel took, NotifyErrors those that
	// it did not, after all attempts. They are also among Errors.
	Notified, NotifyErrors int64
	// Last is the instant of the newest scrape, Series how many are kept, without ALERTS
	// and ALERTS_FOR_STATE.
	Last   time.Time
	Series int
	// At is when Status was called, on the monitor's clock. Oldest is from when on
	// samples are kept: the start of the monitor until the history drops a scrape.
	At, Oldest time.Time
}

func (s *Status) note(err error) error {
	s.Errors++
	s.LastError = err
	if s.LimitError == nil && errors.Is(err, ErrTooManySeries) {
		s.LimitError = err
	}
	return err
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
