package pool

import (
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// A flap switches an outage on and off. The k-th change is due at a whole number
// of half periods after the begin, so that a long flapping does not drift.
type flap struct {
	engine   *faultEngine
	name     string
	up, down time.Duration
	fault    *fault

	mu struct {
		sync.Mutex
		begun int // begins without an end; only the first starts the switching
		start time.Time
		next  int // the number of the next change, from 1
		timer *clock.Timer
		isOut bool
	}
}

// due is the offset of the k-th change: odd ones go down, even ones come up.
func (f *flap) due(k int) time.Duration {
	d := time.Duration(k/2) * (f.up + f.down)
	if k%2 == 1 {
		d += f.up
	}
	return d
}

func (f *flap) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.begun++; f.mu.begun > 1 || !f.engine.adopt(f) {
		return
	}
	f.mu.start, f.mu.next = f.engine.clk.Now(), 1
	f.armLocked()
}

func (f *flap) armLocked() {
	at := f.mu.start.Add(f.due(f.mu.next))
	f.mu.timer = f.engine.clk.AfterFunc(f.engine.clk.Until(at), func() { f.change(at) })
}

// change is the next switch, at its nominal instant.
func (f *flap) change(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.begun == 0 || !f.mu.start.Add(f.due(f.mu.next)).Equal(at) {
		return // it has been stopped, and perhaps started again, meanwhile
	}
	f.mu.next++
	f.mu.isOut = !f.mu.isOut
	out := f.mu.isOut
	f.armLocked()
	// Under the lock, so that a stop cannot come between: neither call blocks.
	if out {
		f.engine.log.Add(at, "event", f.name+": goes down")
		f.engine.begin(f.fault)
	} else {
		f.engine.log.Add(at, "event", f.name+": comes up")
		f.engine.end(f.fault)
	}
}

func (f *flap) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.begun == 0 {
		return
	}
	if f.mu.begun--; f.mu.begun == 0 {
		f.stopLocked()
	}
}

// stop ends the switching, however often it has begun.
func (f *flap) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.begun = 0
	f.stopLocked()
}

// stopLocked leaves the fake up.
func (f *flap) stopLocked() {
	if f.mu.timer != nil {
		f.mu.timer.Stop()
	}
	if f.mu.isOut {
		f.engine.end(f.fault)
	}
	f.mu.isOut = false
}

// adopt remembers a flap for close, unless the engine is closed already.
func (e *faultEngine) adopt(f *flap) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.mu.closed && !slices.Contains(e.mu.flaps, f) {
		e.mu.flaps = append(e.mu.flaps, f)
	}
	return !e.mu.closed
}
