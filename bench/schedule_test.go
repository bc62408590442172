package bench

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/load"
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
	}
}

func scheduleOurs(n int) error {
	seen := 0
	err := load.Rate(0).To(topRate, rampTime).Arrivals(nil, func(time.Duration) bool { seen++; return seen < n })
	if err == nil && seen != n {
		err = fmt.Errorf("%d arrivals instead of %d", seen, n)
	}
	return err
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
	return nil
}

func scheduleRoot(n int) error {
	var at time.Duration
	for k := range n {
		at = time.Duration(math.Sqrt(2*float64(k+1)/slope) * float64(time.Second))
	}
	if at <= 0 {
		return fmt.Errorf("the last arrival is at %v", at)
	}
	return nil
}
