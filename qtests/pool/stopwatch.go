package pool

import (
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// An instant is a time as the distance from just before the pool's construction,
// so that it is positive: 0 is no instant. Reading it costs half of time.Now.
type instant = time.Duration

// A stopwatch reads the instants of a pool.
type stopwatch struct {
	clk  clock.Clock
	base time.Time
	real bool // clock.New made clk
}

func startWatch(clk clock.Clock) stopwatch {
	return stopwatch{clk, clk.Now().Add(-1), bubble.OfPackageTime(clk)}
}

// now is the present instant. To a pool that was made outside a bubble and is used in
// one, which begins in the year 2000, time stands still.
func (s *stopwatch) now() instant { return max(1, s.clk.Since(s.base)) }

// here is the present instant, and says whether the caller is known to be outside of every
// bubble. One reading of the clock tells both.
func (s *stopwatch) here() (now instant, outside bool) {
	if !s.real {
		return s.now(), false
	}
	t := time.Now()
	return max(1, t.Sub(s.base)), !stacks.BubbleTime(t)
}
