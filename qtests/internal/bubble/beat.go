package bubble

import (
	"sync/atomic"
	"time"
)

// beat is what OnBeat was given.
var beat atomic.Pointer[func(now time.Time)]

// OnBeat has do called about twice a second of real time, from outside of every bubble, while one runs. Bubbles at the same time call it
// at the same time. It must not wait. There is one do for a process.
func OnBeat(do func(now time.Time)) { beat.Store(&do) }

// Beat is called by those who watch a bubble from outside.
func Beat(now time.Time) {
	if do := beat.Load(); do != nil {
		(*do)(now)
	}
}
