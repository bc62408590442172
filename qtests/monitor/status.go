package monitor

import (
	"errors"
	"time"
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
