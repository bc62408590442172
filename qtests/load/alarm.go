package load

import (
	"sync"
	"time"
)

// Alarms wake a run in real time. Package time is late by up to a millisecond on
// Linux: a process that idles polls the network with a timeout of whole
// milliseconds. An alarm of the kernel is late by some ten microseconds. Without it
// every response time, which counts from the intended instant, would be too long by
// half a millisecond, whatever the server does.
//
// A nil *alarms is that of a run that does not take real time.
type alarms struct {
	mu struct {
		sync.Mutex
		free   []*alarm
		closed bool
	}
}

const (
	// sparse is how far an arrival has to be from the one before it to have an alarm.
	// To wake an idle process costs more than a request does. Above a thousand
	// arrivals a second package time wakes it for several at once, and alarms would
	// nearly double the processor time of each: measured in bench's row "2,000 a
	// second", 105 µs instead of 60. At 100/s they save a quarter, and the 99th
	// percentile of the lateness falls from 1.1 to 0.15 ms.
	sparse = time.Millisecond
	// early is how long before its instant a timer of package time has to fire, to
	// leave the rest to an alarm.
	early = 2 * time.Millisecond
)

// wait waits until left, which is asked again after each wait, is not positive.
func (a *alarms) wait(left func() time.Duration) {
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

// take is an alarm that nobody waits for, or nil where the system has none.
func (a *alarms) take() *alarm {
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

func (a *alarms) giveBack(one *alarm) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.closed {
		one.close()
		return
	}
	a.mu.free = append(a.mu.free, one)
}

// close closes the alarms that nobody waits for, and the others when they are given
// back.
func (a *alarms) close() {
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
