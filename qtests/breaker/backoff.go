package breaker

import (
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// A backoff computes how long an opening lasts.
type backoff struct {
	base, limit    time.Duration
	factor, jitter float64
	stream         tb.Stream
}

// wait returns the length of an opening. reopened counts the openings since the
// last close, from 0; opening counts all of them and chooses the draw, so that
// no draw depends on which goroutine opened the breaker.
//
// The first opening is exactly base: a test that names the instant of the first
// probe must not need to know the seed.
func (b backoff) wait(reopened int, opening uint64) time.Duration {
	if reopened == 0 {
		return b.base
	}
	d := float64(b.base) * math.Pow(b.factor, float64(reopened))
	if b.jitter > 0 {
		d *= 1 + b.jitter*(2*b.stream.At(opening).Float64()-1)
	}
	if d >= float64(b.limit) {
		return b.limit
	}
	// Whole microseconds are what reports and the event log can show.
	return max(tb.Round(time.Duration(d)), time.Microsecond)
}

// never is an instant that does not come.
const never = time.Duration(math.MaxInt64)

func saturatingAdd(at, d time.Duration) time.Duration {
	if s := at + d; s >= at {
		return s
	}
	return never
}
