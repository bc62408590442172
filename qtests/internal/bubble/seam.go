package bubble

import "github.com/go-qtests/qtests/qtests/internal/ordered"

// OrderNext orders the bubble that the caller opens next, by the means that the runtime has.
// On the ordered runtime, with random set, the goroutine that runs next is drawn from the
// seed; events may be nil, and the caller keeps them until the bubble has begun.
func OrderNext(seed uint64, random bool, events *ordered.Events) error {
	if !ordered.Available() {
		return nil
	}
	return ordered.Arm(seed, random, events)
}

// NewClock returns the clock of the bubble that it is called in.
func NewClock() Clock {
	if ordered.Available() {
		return newTurnClock()
	}
	return newTieFree()
}
