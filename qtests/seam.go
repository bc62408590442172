package qtests

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
)

func init() {
	if testing.Testing() {
		settings.AddFlags()
	}
}

// newBubbleClock orders the bubble that it is called in, and returns its clock.
func newBubbleClock(inner *testing.T, config bubbleConfig) bubble.Clock {
	if ordered.Available() {
		synctest.Wait() // until the goroutine of package testing waits for this one
	}
	random := config.seed != settings.DefaultSeed && config.explore == nil
	clk, err := bubble.NewClock(config.seed, random, config.turns)
	if err == nil && config.explore != nil {
		err = config.explore.Begin(config.seed)
	}
	if err != nil {
		inner.Fatalf("qtests: %v", err)
	}
	return clk
}

var processRemnants = newRemnants(warnKept)

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
