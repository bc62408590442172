package compare

import (
	"fmt"
	"math"
	"runtime"
	"syscall"
	"time"
)

// A Meter reads what this process spends: the time that passes, what it allocates,
// and what it uses of the processors. It runs from StartMeter on; Pause and Resume
// leave out what does not belong to the work.
type Meter struct {
	spent, since usage
	paused       bool
}

type usage struct {
	time, cpu time.Duration
	mallocs   uint64
}

// begun is what the monotonic clock is read against.
var begun = time.Now()

func now() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Since(begun), ProcessorTime(), m.Mallocs}
}

// StartMeter starts a meter.
func StartMeter() *Meter {
	m := &Meter{}
	m.since = now()
	m.since.time = time.Since(begun) // the reading itself takes time
	return m
}

// Pause stops the meter.
func (m *Meter) Pause() {
	t := time.Since(begun)
	u := now()
	m.spent.time += t - m.since.time
	m.spent.cpu += u.cpu - m.since.cpu
	m.spent.mallocs += u.mallocs - m.since.mallocs
	m.paused = true
}

// Resume goes on.
func (m *Meter) Resume() {
	m.since = now()
	m.since.time = time.Since(begun)
	m.paused = false
}

// Readings stops the meter and returns [Time], [Allocations] and [CPU] of one of n
// operations. Allocations are rounded to a hundredth: the runtime makes a few of
// its own.
func (m *Meter) Readings(n int) Readings {
	if !m.paused {
		m.Pause()
	}
	per := float64(n)
	return Readings{
		Time:        float64(m.spent.time) / per,
		CPU:         float64(m.spent.cpu) / per,
		Allocations: math.Round(float64(m.spent.mallocs)/per*100) / 100,
	}
}

// ProcessorTime is what this process has used of the processors so far.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(fmt.Sprintf("compare: getrusage: %v", err)) // it knows no error for this process
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
