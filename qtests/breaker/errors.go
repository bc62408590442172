package breaker

import (
	"errors"
	"fmt"
	"time"
)

// ErrOpen is what every rejection unwraps to, whether the breaker is open,
// half-open with all its probes given out, or scripted to reject. The error
// itself is a *[RejectedError].
var ErrOpen = errors.New("breaker: open")

// A RejectedError says why a call was not admitted. All rejections of one
// generation share one value, so that rejecting allocates nothing: do not
// change it.
type RejectedError struct {
	Breaker string // its name
	State   State  // Open, HalfOpen, or any state when Scripted
	// RetryAt is when the breaker becomes half-open. It is the zero time where that is
	// not known: half-open, forced or scripted.
	RetryAt time.Time
	// Reason is the detail of the transition that opened the breaker.
	Reason string
	// Scripted says that [RejectNext] chose this call.
	Scripted bool
	// Hint says what is wrong where RetryAt never comes: the breaker was made
	// outside a bubble and is used in one, whose time is decades before.
	Hint string
}

const madeOutside = "this breaker was made outside the bubble, decades after the bubble's time, so that it stays open for ever: make it inside, with the clock of q"

// Error returns, for example, `breaker: open: "payments": 5 consecutive failures`.
func (e *RejectedError) Error() string {
	switch {
	case e.Scripted:
		return fmt.Sprintf("%v: %q: scripted rejection", ErrOpen, e.Breaker)
	case e.State == HalfOpen:
		return fmt.Sprintf("%v: %q: half-open and all probes given out", ErrOpen, e.Breaker)
	}
	if e.Hint != "" {
		return fmt.Sprintf("%v: %q: %s; %s", ErrOpen, e.Breaker, e.Reason, e.Hint)
	}
	return fmt.Sprintf("%v: %q: %s", ErrOpen, e.Breaker, e.Reason)
}

// Unwrap returns ErrOpen.
func (e *RejectedError) Unwrap() error { return ErrOpen }
