package qtests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// abandoned are the bubbles that stand still and were left behind, by id, with
// the names of their tests: at most one for each test of the binary and seed.
var abandoned struct {
	sync.Mutex
	tests map[uint64]string
}

// abandonBubble records that nobody waits for the bubble of test any more.
func abandonBubble(id uint64, test string) {
	abandoned.Lock()
	defer abandoned.Unlock()
	if abandoned.tests == nil {
		abandoned.tests = map[uint64]string{}
	}
	abandoned.tests[id] = test
}

// abandonedTest returns the name of the test that left the bubble behind, or "".
func abandonedTest(bubble uint64) string {
	if bubble == 0 {
		return ""
	}
	abandoned.Lock()
	defer abandoned.Unlock()
	return abandoned.tests[bubble]
}

// describeAbandoned names all abandoned bubbles, a line each.
func describeAbandoned() string {
	abandoned.Lock()
	defer abandoned.Unlock()
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(abandoned.tests)) {
		fmt.Fprintf(&b, "qtests: bubble %d of %s stood still and was left behind; its goroutines are not counted as leaks\n", id, abandoned.tests[id])
	}
	return b.String()
}
