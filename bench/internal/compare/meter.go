package compare

import (
	"math"
	"runtime"
	"time"
)

// A Meter reads what this process spends: the time that passes and what it
// allocates. It runs from StartMeter on; Pause and Resume leave out what does not
// belong to the work.
type Meter struct {
	clock        func() time.Duration
	allocated    func() uint64
	spent, since usage
	paused       bool
}

type usage struct {
	time    time.Duration
	mallocs uint64
}

// StartMeter starts a meter.
func StartMeter() *Meter {
	begun := time.Now()
	return startMeter(func() time.Duration { return time.Since(begun) }, mallocs)
}

func startMeter(clock func() time.Duration, allocated func() uint64) *Meter {
	m := &Meter{clock: clock, allocated: allocated, paused: true}
	m.Resume()
	return m
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// Pause stops the meter, if it runs. The clock is read first: to read what is
// allocated takes time.
func (m *Meter) Pause() {
	if m.paused {
		return
	}
	m.spent.time += m.clock() - m.since.time
	m.spent.mallocs += m.allocated() - m.since.mallocs
	m.paused = true
}

// Resume goes on, if the meter is stopped. The clock is read last.
func (m *Meter) Resume() {
	if !m.paused {
		return
	}
	m.since.mallocs = m.allocated()
	m.since.time = m.clock()
	m.paused = false
}

// Readings stops the meter and returns [Time] and [Allocations] of one of n
// operations. Allocations are rounded to a hundredth: the runtime makes a few of
// its own.
func (m *Meter) Readings(n int) Readings {
	m.Pause()
	per := float64(n)
	return Readings{
		Time:        float64(m.spent.time) / per,
		Allocations: math.Round(float64(m.spent.mallocs)/per*100) / 100,
	}
}
