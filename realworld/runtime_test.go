package realworld

import (
	"sync"
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

// notOnStock says what a scenario does on the stock runtime, where it has no outcome
// there: it stands still when a goroutine waits for a mutex that another one holds while
// it waits for time, which the stock runtime does not let pass then.
var notOnStock = map[string]string{}

var probe struct {
	sync.Once
	ordered bool
}

// onOrdered reports whether the test runs on the ordered runtime: two bubbles with one
// seed make the same 64 choices between two ready channels. On the stock runtime that
// happens once in 2⁶⁴ times.
func onOrdered(t *testing.T) bool {
	t.Helper()
	probe.Do(func() {
		var made [2]uint64
		for i := range made {
			qtests.Run(t, func(*qtests.T) { made[i] = choices() })
		}
		probe.ordered = made[0] == made[1]
	})
	return probe.ordered
}

func choices() (made uint64) {
	a, b := make(chan uint64), make(chan uint64, 1)
	close(a)
	for range 64 {
		select {
		case b <- 1:
			made = made<<1 | <-b
		case <-a:
			made <<= 1
		}
	}
	return made
}
