package accesslog

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// commonTime is the time of the common log format, and haproxyTime that of HAProxy, which has no zone.
const (
	commonTime  = "02/Jan/2006:15:04:05 -0700"
	haproxyTime = "02/Jan/2006:15:04:05"
)

// layouts are the texts that a time in JSON may be. Go reads a fraction of the second with any of them.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", commonTime}

// A timer reads times. Its layout, if any, comes first, and its zone is where a layout without one is.
type timer struct {
	layout string
	zone   *time.Location
}

// in parses a time by a layout of the format.
func (t timer) in(layout, s string) (time.Time, error) {
	if t.layout != "" {
		if at, err := time.ParseInLocation(t.layout, s, t.location()); err == nil {
			return at, nil
		}
	}
	at, err := time.ParseInLocation(layout, s, t.location())
	if err != nil {
		return at, fmt.Errorf("time %q is not like %s", text.Clip(s, 40), layout)
	}
	return at, nil
}

func (t timer) location() *time.Location {
	if t.zone == nil {
		return time.UTC
	}
	return t.zone
}

// any parses a time as JSON has it.
func (t timer) any(s string) (time.Time, error) {
	if t.layout != "" {
		if at, err := time.ParseInLocation(t.layout, s, t.location()); err == nil {
			return at, nil
		}
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, s); err == nil {
			return at, nil
		}
	}
	if at, ok := sinceEpoch(s); ok {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("time %q is neither RFC 3339, nor like %s, nor a number since 1970", text.Clip(s, 40), commonTime)
}

// sinceEpoch reads a number of seconds, milliseconds, microseconds or nanoseconds since 1970. Which one it
// is, its size tells: a hundred thousand million seconds are the year 5138, and as many milliseconds 1973.
// A fraction is read to the microsecond.
func sinceEpoch(s string) (time.Time, bool) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x-x != 0 || math.Abs(x) >= 1e20 || strings.ContainsAny(s, "xX_pP") {
		return time.Time{}, false
	}
	unit := time.Second
	for limit := 1e11; math.Abs(x) >= limit; limit *= 1000 {
		unit /= 1000
	}
	if unit == 0 {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil { // more digits than a float has
		perSecond := int64(time.Second / unit)
		return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC(), true
	}
	whole, fraction := math.Modf(x / float64(time.Second/unit))
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC(), true
}
