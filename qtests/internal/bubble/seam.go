package bubble

import "github.com/go-qtests/qtests/qtests/internal/ordered"

// NewClock orders the bubble that it is called in, by the means that the runtime has, and
// returns its clock. The other goroutines of the bubble must all be waiting. On the ordered
// runtime, with random set, the goroutine that runs next is drawn from the seed; events may
// be nil.
func NewClock(seed uint64, random bool, events *ordered.Events) (Clock, error) {
	if !ordered.Available() {
		return newTieFree(), nil
	}
	if err := ordered.Arm(seed, random, events); err != nil {
		return nil, err
	}
	return newTurnClock(), nil
}
