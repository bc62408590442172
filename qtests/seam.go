package qtests

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
)

func init() {
	if testing.Testing() {
		settings.AddFlags()
	}
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
