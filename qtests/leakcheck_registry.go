package qtests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A leftBehind is a bubble that nobody waits for any more.
type leftBehind struct {
	test    string
	allowed bool // its goroutines may stay; otherwise it stood still
}

// abandoned are the bubbles that were left behind, by id: of those that stand
// still at most one for each test of the binary and seed, of the others each with
// a goroutine that never ends.
var abandoned struct {
	sync.Mutex
	tests map[uint64]leftBehind
}

// abandonBubble records that nobody waits for the bubble any more.
func abandonBubble(id uint64, what leftBehind) {
	abandoned.Lock()
	defer abandoned.Unlock()
	if abandoned.tests == nil {
		abandoned.tests = map[uint64]leftBehind{}
	}
	abandoned.tests[id] = what
}

// abandonedTest returns the name of the test that left the bubble behind, or "".
func abandonedTest(bubble uint64) string {
	if bubble == 0 {
		return ""
	}
	abandoned.Lock()
	defer abandoned.Unlock()
	return abandoned.tests[bubble].test
}

// describeAbandoned names all abandoned bubbles that stood still, a line each.
func describeAbandoned() string {
	abandoned.Lock()
	defer abandoned.Unlock()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(abandoned.tests)) {
		if what := abandoned.tests[id]; !what.allowed {
			fmt.Fprintf(&b, "qtests: bubble %d of %s stood still and was left behind; its goroutines are not counted as leaks\n", id, what.test)
		}
	}
	return b.String()
}
