package shed

import (
	"errors"
	"fmt"
)

// ErrRefused is what every refusal unwraps to.
var ErrRefused = errors.New("shed: refused")

// A Reason is why a request was refused.
type Reason string

// The reasons.
const (
	OverLimit     Reason = "over the limit" // and there is no queue
	QueueFull     Reason = "queue full"
	WaitedTooLong Reason = "waited too long" // CoDel, AdaptiveLIFO, Timeout
	Displaced     Reason = "displaced"       // by a request of a higher priority
	Throttled     Reason = "throttled"       // by a Throttle
	TooManyKeys   Reason = "too many keys"   // of Bulkheads
	OverRate      Reason = "over the rate"   // of a RateLimit
)

// A RefusedError says who refused a request, and why.
type RefusedError struct {
	Gate   string
	Class  string // "" where there are no classes
	Reason Reason
}

func (e *RefusedError) Error() string {
	if e.Class == "" {
		return fmt.Sprintf("shed: %s refused: %s", e.Gate, e.Reason)
	}
	return fmt.Sprintf("shed: %s refused %s: %s", e.Gate, e.Class, e.Reason)
}

// Unwrap returns [ErrRefused].
func (e *RefusedError) Unwrap() error { return ErrRefused }
