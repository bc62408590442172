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
// The limit also bounds what the jitter draws from. Otherwise most draws at the limit
// would be the limit itself, and replicas would probe in step again.
func (b backoff) wait(reopened int, opening uint64) time.Duration {
	if reopened == 0 && b.jitter == 0 {
		return b.base
	}
	d := min(float64(b.base)*math.Pow(b.factor, float64(reopened)), float64(b.limit))
	return b.draw(d*(1-b.jitter), d*(1+b.jitter), opening)
}

// asked returns the length of an opening that Config.OpenFor asks for. Jitter only makes
// it longer: the other side wants no call before.
func (b backoff) asked(d time.Duration, opening uint64) time.Duration {
	d = min(d, b.limit)
	return max(d, b.draw(float64(d), float64(d)*(1+b.jitter), opening))
}

// draw returns a duration between low and the smaller one of high and the limit.
func (b backoff) draw(low, high float64, opening uint64) time.Duration {
	d := low
	if b.jitter > 0 {
		d += (min(high, float64(b.limit)) - low) * b.stream.At(opening).Float64()
	}
	if d >= float64(b.limit) { // which may be too large to convert back
		return b.limit
	}
	// Whole microseconds are what reports and the event log can show.
	return min(max(tb.Round(time.Duration(d)), time.Microsecond), b.limit)
}

// never is an instant that does not come.
const never = time.Duration(math.MaxInt64)

// saturatingAdd returns at+d for d >= 0, or never where that is too large.
func saturatingAdd(at, d time.Duration) time.Duration {
	if s := at + d; s >= at {
		return s
	}
	return never
}

// elapsed returns to-from for a clock that may have been set: 0 where it went back, and
// never where the difference is too large.
func elapsed(from, to time.Duration) time.Duration {
	switch {
	case to <= from:
		return 0
	case to-from < 0:
		return never
	}
	return to - from
}
