package record

import (
	"math"
	"time"
)

// A span is a sum of durations that may exceed the 292 years of one.
type span struct{ seconds, nanos int64 }

func (s *span) add(d time.Duration) {
	s.seconds += int64(d / time.Second)
	s.nanos += int64(d % time.Second)
	if s.nanos >= int64(time.Second) {
		s.seconds, s.nanos = s.seconds+1, s.nanos-int64(time.Second)
	}
}

// over is s/d.
func (s *span) over(d time.Duration) float64 {
	return (float64(s.seconds)*1e9 + float64(s.nanos)) / float64(d)
}

// duration is the sum, or the longest Duration.
func (s *span) duration() time.Duration {
	if s.seconds >= int64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s.seconds)*time.Second + time.Duration(s.nanos)
}
