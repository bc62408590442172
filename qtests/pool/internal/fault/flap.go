package fault

import (
	"slices"
	"time"

	"github.com/benbjohnson/clock"
)

// A flap switches an outage on and off. The k-th change is due at a whole number
// of half periods after the begin, so that a long flapping does not drift.
type flap struct {
	engine   *Engine
	name     string
	up, down time.Duration
	fault    *Fault

	// The lock of the engine guards what follows.
	begun int // begins without an end; only the first starts the switching
	start time.Time
	next  int // the number of the next change, from 1
	timer *clock.Timer
	isOut bool
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
	f.engine.change(func() []func() {
		if f.begun++; f.begun == 1 && f.adoptLocked() {
			f.start, f.next = f.engine.clk.Now(), 1
			f.armLocked()
		}
		return nil
	})
}

// adoptLocked has the engine remember f until it closes, unless it has closed.
func (f *flap) adoptLocked() bool {
	m := &f.engine.mu
	if !m.closed && !slices.Contains(m.flaps, f) {
		m.flaps = append(m.flaps, f)
	}
	return !m.closed
}

func (f *flap) armLocked() {
	at := f.start.Add(f.due(f.next))
	f.timer = f.engine.clk.AfterFunc(f.engine.clk.Until(at), func() { f.change(at) })
}

// change is the next switch, at its nominal instant.
func (f *flap) change(at time.Time) {
	f.engine.change(func() []func() {
		if f.begun == 0 || !f.start.Add(f.due(f.next)).Equal(at) {
			return nil // it has been stopped, and perhaps started again, meanwhile
		}
		f.next++
		f.isOut = !f.isOut
		f.armLocked()
		if f.isOut {
			f.engine.log.Add(at, "event", f.name+": goes down")
			return f.engine.beginLocked(f.fault)
		}
		f.engine.log.Add(at, "event", f.name+": comes up")
		wakes, _ := f.engine.endLocked(f.fault)
		return wakes
	})
}

func (f *flap) end() {
	f.engine.change(func() []func() {
		if f.begun == 0 {
			return nil
		}
		if f.begun--; f.begun > 0 {
			return nil
		}
		return f.stopLocked()
	})
}

// stopLocked ends the switching, however often it has begun, and leaves the fake up.
func (f *flap) stopLocked() (wakes []func()) {
	f.begun = 0
	if f.timer != nil {
		f.timer.Stop()
	}
	if f.isOut {
		wakes, _ = f.engine.endLocked(f.fault)
	}
	f.isOut = false
	return wakes
}
