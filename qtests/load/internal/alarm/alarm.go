package alarm

import (
	"sync"
	"time"
)

// A Set has the alarms of a run, one for each goroutine that waits at the same time. The zero
// value is ready for use. It is safe for concurrent use. A nil Set is for a run that does
// not take real time: it can be closed, and nothing else.
type Set struct {
	mu struct {
		sync.Mutex
		free   []*alarm
		closed bool
	}
}

// Wait waits until left returns no positive duration. left is asked again after each wait.
func (a *Set) Wait(left func() time.Duration) {
	if one := a.take(); one != nil {
		defer a.giveBack(one)
		if one.wait(left) == nil {
			return
		}
	}
	for d := left(); d > 0; d = left() {
		time.Sleep(d)
	}
}

// take returns an alarm that nothing waits for, or nil where the system has none.
func (a *Set) take() *alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := len(a.mu.free) - 1; last >= 0 {
		one := a.mu.free[last]
		a.mu.free = a.mu.free[:last]
		return one
	}
	if a.mu.closed {
		return nil
	}
	return newAlarm()
}

func (a *Set) giveBack(one *alarm) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.closed {
		one.close()
		return
	}
	a.mu.free = append(a.mu.free, one)
}

// Close closes the alarms: those in use when their wait is over, and the others at once.
func (a *Set) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.closed = true
	for _, one := range a.mu.free {
		one.close()
	}
	a.mu.free = nil
}
