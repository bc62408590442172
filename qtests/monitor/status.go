package monitor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
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

// A RuleStatus is a rule with what its last evaluation gave.
type RuleStatus struct {
	Rule
	// State is the worst of its alerts: Firing, Pending or Inactive. Of a recording rule
	// it is empty.
	State State
	// Points is the value of the expression at the newest scrape; of a comparison with a
	// number it is the value of the left side, which has a value while the condition does not
	// hold, too. It is empty where only Config.Compile can read the expression.
	Points []Point
	// Err is why the last evaluation failed, or nil.
	Err                   error
	Evaluations, Failures int64
}

// maxPoints bounds the elements that RuleStatus.Now writes.
const maxPoints = 5

// Now writes the value of the expression as one line, with at most five elements:
// {job="shop"} 0.25; {job="cart"} 0.5. It is "no series" where there is none.
func (r RuleStatus) Now() string {
	var parts []string
	for _, p := range r.Points[:min(len(r.Points), maxPoints)] {
		labels := ""
		if ls := history.FromMap(p.Labels).Without(history.NameLabel); len(ls) > 0 {
			labels = ls.String() + " "
		}
		parts = append(parts, labels+strconv.FormatFloat(p.Value, 'g', 6, 64))
	}
	if n := len(r.Points) - maxPoints; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	if len(parts) == 0 {
		return "no series"
	}
	return strings.Join(parts, "; ")
}
