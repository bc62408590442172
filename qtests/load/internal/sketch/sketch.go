package sketch

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"time"
)

// Longest is the longest duration that is told apart. A longer one counts as this.
const Longest = 24 * time.Hour

// A Sketch is a coarse histogram, 32 buckets for every doubling, small enough
// to keep one for every point: 2 KiB up to one second.
type Sketch struct {
	counts   []uint32
	total    uint64
	sum      uint64
	min, max uint64
}

const (
	sketchBits = 6
	sketchHalf = 1 << (sketchBits - 1)
)

func sketchBucket(v uint64) int {
	shift := 64 - bits.LeadingZeros64(v|(2*sketchHalf-1)) - sketchBits
	return shift*sketchHalf + int(v>>shift)
}

// sketchTop is the largest value of a bucket.
func sketchTop(bucket int) uint64 {
	if bucket < 2*sketchHalf {
		return uint64(bucket)
	}
	shift := bucket/sketchHalf - 1
	return uint64(bucket-shift*sketchHalf+1)<<shift - 1
}

// Record counts a duration.
func (s *Sketch) Record(d time.Duration) {
	v := uint64(min(max(d, 0), Longest) / time.Microsecond)
	b := sketchBucket(v)
	if b >= len(s.counts) {
		grown := make([]uint32, (b/sketchHalf+1)*sketchHalf)
		copy(grown, s.counts)
		s.counts = grown
	}
	s.counts[b]++
	if s.total == 0 || v < s.min {
		s.min = v
	}
	s.max = max(s.max, v)
	s.total++
	s.sum += v
}

// Merge adds everything counted in q.
func (s *Sketch) Merge(q *Sketch) {
	if q.total == 0 {
		return
	}
	if len(q.counts) > len(s.counts) {
		s.counts = append(s.counts, make([]uint32, len(q.counts)-len(s.counts))...)
	}
	for b, n := range q.counts {
		s.counts[b] += n
	}
	if s.total == 0 || q.min < s.min {
		s.min = q.min
	}
	s.max = max(s.max, q.max)
	s.total += q.total
	s.sum += q.sum
}

// Percentile returns the nearest-rank percentile, or zero if nothing was counted.
func (s *Sketch) Percentile(p float64) time.Duration {
	if s.total == 0 {
		return 0
	}
	return micros(s.top(s.bucketOfRank(p)))
}

// bucketOfRank returns the bucket of the nearest-rank percentile.
func (s *Sketch) bucketOfRank(p float64) int {
	rank := RankOf(p, s.total)
	var seen uint64
	for b, n := range s.counts {
		if seen += uint64(n); seen >= rank {
			return b
		}
	}
	return 0 // nothing was counted
}

// upTo counts the values in the buckets up to one.
func (s *Sketch) upTo(bucket int) (n uint64) {
	for _, count := range s.counts[:min(bucket+1, len(s.counts))] {
		n += uint64(count)
	}
	return n
}

// top is the largest value that may have been recorded in a bucket.
func (s *Sketch) top(bucket int) uint64 { return min(max(sketchTop(bucket), s.min), s.max) }

func micros(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }

// Count is how many durations were counted.
func (s *Sketch) Count() uint64 { return s.total }

// Each calls yield with the largest duration that may be in a bucket, and the number in it, for
// every bucket that has some.
func (s *Sketch) Each(yield func(top time.Duration, n int64)) {
	for b, n := range s.counts {
		if n > 0 {
			yield(micros(s.top(b)), int64(n))
		}
	}
}

// Percentiles are those that Figures has.
var Percentiles = [...]float64{50, 95, 99}

// Figures are what is told of a sketch.
type Figures struct {
	P50, P95, P99, Max, Sum time.Duration
	// Within is how many durations were at most the percentiles of the whole.
	Within [3]int64
}

// Figures returns those of a part of a whole.
func (s *Sketch) Figures(whole *Sketch) Figures {
	f := Figures{P50: s.Percentile(50), P95: s.Percentile(95), P99: s.Percentile(99), Max: micros(s.max), Sum: micros(s.sum)}
	for k, x := range Percentiles {
		f.Within[k] = int64(s.upTo(whole.bucketOfRank(x)))
	}
	return f
}

// sketchJSON is the wire form: the buckets as pairs of number and count, times in microseconds.
type sketchJSON struct {
	Buckets [][2]uint64 `json:"buckets,omitempty"`
	Sum     uint64      `json:"sum,omitempty"`
	Min     uint64      `json:"min,omitempty"`
	Max     uint64      `json:"max,omitempty"`
}

// MarshalJSON writes every bucket that is not empty, so that nothing is lost.
func (s Sketch) MarshalJSON() ([]byte, error) {
	j := sketchJSON{Sum: s.sum, Min: s.min, Max: s.max}
	for b, n := range s.counts {
		if n > 0 {
			j.Buckets = append(j.Buckets, [2]uint64{uint64(b), uint64(n)})
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote, and rejects anything else.
func (s *Sketch) UnmarshalJSON(text []byte) error {
	var j sketchJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	most := sketchBucket(uint64(Longest / time.Microsecond))
	*s = Sketch{sum: j.Sum, min: j.Min, max: j.Max}
	last := -1
	for i, pair := range j.Buckets {
		if pair[0] > uint64(most) || int(pair[0]) <= last || pair[1] == 0 || pair[1] > math.MaxUint32 {
			return fmt.Errorf("sketch: bucket %d: %v is not in order or has no valid count", i, pair)
		}
		last = int(pair[0])
		s.counts = append(s.counts, make([]uint32, last+1-len(s.counts))...)
		s.counts[last] = uint32(pair[1])
		s.total += pair[1]
	}
	return nil
}
