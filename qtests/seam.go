package qtests

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// newBubbleClock orders the bubble that it is called in, by the means that the runtime
// has, and returns its clock.
func newBubbleClock(inner *testing.T, config bubbleConfig) bubbleClock {
	if !ordered.Available() {
		return newTieFree()
	}
	random := config.seed != DefaultSeed && config.explore == nil
	if err := ordered.Arm(config.seed, random, config.turns); err != nil {
		inner.Fatalf("qtests: %v", err)
	}
	if config.explore != nil {
		if err := config.explore.begin(config.seed); err != nil {
			inner.Fatalf("qtests: %v", err)
		}
	}
	return newTurnClock()
}

// nextRemnant prepares the process for a bubble. On the ordered runtime there is nothing
// to prepare: a sync.Pool keeps what it is given for the bubble that gave it.
func nextRemnant(of bubbleKind) *remnant {
	if ordered.Available() {
		return nil
	}
	return processRemnants.next(of)
}

// saidOfOrder is done when a process has said what the ordered runtime would do for it.
var saidOfOrder atomic.Bool

// adviseOrder says, once per process, what the ordered runtime would do for a test that
// failed on the stock one, and how to run the test there.
func adviseOrder(t *testing.T, repeat string) {
	t.Helper()
	if ordered.Available() || saidOfOrder.Swap(true) {
		return
	}
	t.Logf("qtests: this was the stock runtime, on which only what waits for the clock repeats. "+
		"On the ordered one goroutines, selects, maps, mutexes, package time and random numbers follow the seed, too: go tool qtests %s",
		strings.TrimPrefix(repeat, "go "))
}
