package bench

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// The ramp of the schedule.
const (
	topRate  = 20_000
	rampTime = 2 * time.Hour
	slope    = topRate / float64(rampTime/time.Second) // per second, every second
	arrivals = topRate * int(rampTime/time.Second) / 2
)

// schedule computes the instants of all arrivals, or of the first ones.
func schedule() compare.Comparison {
	compute := func(first func(n int) error) compare.Work {
		return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
			return func(size compare.Size) (compare.Readings, error) {
				n := size.Pick(10_000, arrivals)
				start := time.Now()
				err := first(n)
				return compare.Readings{compare.Time: float64(time.Since(start)) / float64(n)}, err
			}
		})
	}
	return compare.Comparison{
		Name:   "schedule",
		Rounds: 3,
		Contestants: []compare.Contestant{
			compare.Ours(compute(scheduleOurs)),
			compare.Peer("vegeta", compute(scheduleVegeta)),
			compare.Floor("square root", compute(scheduleRoot)),
		},
		Figures: []compare.Figure{compare.TimeOf(compare.Bound(30))},
		Why: "Ours takes the exact inverse of the area under the rate, to the nanosecond: a square root and a correction of its " +
			"rounding, where vegeta's pacer multiplies what is missing by the gap of the moment.",
	}
}

func scheduleOurs(n int) error {
	seen, last := 0, time.Duration(0)
	err := traffic.Rate(0).To(topRate, rampTime).Arrivals(nil, func(at time.Duration) bool {
		seen, last = seen+1, at
		return seen < n
	})
	if err != nil {
		return err
	}
	return schedules(seen, n, last, 0, time.Nanosecond)
}

func scheduleVegeta(n int) error {
	// Its ramp cannot begin at 0.
	p, at := vegeta.LinearPacer{StartAt: vegeta.Rate{Freq: 1, Per: time.Second}, Slope: slope}, time.Duration(0)
	for hits := range n {
		wait, stop := p.Pace(at, uint64(hits))
		if stop {
			return errors.New("vegeta's pacer stopped")
		}
		at += wait
	}
	// It takes the rate at one hit for that until the next one, which is far off at the
	// beginning and makes up for it later.
	return schedules(n, n, at, 1, time.Microsecond)
}

func scheduleRoot(n int) error {
	var at time.Duration
	for k := range n {
		at = time.Duration(math.Sqrt(2*float64(k+1)/slope) * float64(time.Second))
	}
	return schedules(n, n, at, 0, time.Nanosecond)
}

// schedules checks how many arrivals there were, and that the last of them is due
// when the area under the ramp, which begins at a rate, is as large as their number.
func schedules(seen, n int, last time.Duration, begin float64, about time.Duration) error {
	seconds := (math.Sqrt(begin*begin+2*slope*float64(n)) - begin) / slope
	want := time.Duration(math.Round(seconds * float64(time.Second)))
	if seen != n || (last-want).Abs() > about {
		return fmt.Errorf("%d arrivals, the last at %v, instead of %d until %v", seen, last, n, want)
	}
	return nil
}

// The check is the one of the rows, in which it is seen to hold.
func TestSchedules(t *testing.T) {
	require.NoError(t, schedules(arrivals, arrivals, rampTime, 0, time.Nanosecond))
	require.Error(t, schedules(arrivals-1, arrivals, rampTime, 0, time.Nanosecond))
	require.Error(t, schedules(arrivals, arrivals, rampTime+2, 0, time.Nanosecond))
	require.Error(t, schedules(10_000, 10_000, 0, 1, time.Microsecond))
}
