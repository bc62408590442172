package qtests

import (
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// newBubbleClock orders the bubble that it is called in, by the means that the runtime
// has, and returns its clock.
func newBubbleClock(inner *testing.T, config bubbleConfig) bubbleClock {
	if !ordered.Available() {
		return newTieFree()
	}
	if err := ordered.Arm(config.seed, config.seed != DefaultSeed, config.turns); err != nil {
		inner.Fatalf("qtests: %v", err)
	}
	return newTurnClock()
}
