package qtests

import "sync"

// abandoned are the bubbles that stand still and were left behind, by id, with
// the names of their tests.
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
