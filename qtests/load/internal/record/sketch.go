package record

import (
	"math/bits"
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// A sketch is a coarse histogram, 32 buckets for every doubling, small enough
// to keep one for every point: 2 KiB up to one second.
type sketch struct {
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

func (s *sketch) record(d time.Duration) {
	v := uint64(min(max(d, 0), result.LongestDuration) / time.Microsecond)
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

func (s *sketch) merge(q *sketch) {
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

func (s *sketch) percentile(p float64) time.Duration {
	if s.total == 0 {
		return 0
	}
	return micros(s.top(s.bucketOfRank(p)))
}

// bucketOfRank returns the bucket of the nearest-rank percentile.
func (s *sketch) bucketOfRank(p float64) int {
	rank := result.RankOf(p, s.total)
	var seen uint64
	for b, n := range s.counts {
		if seen += uint64(n); seen >= rank {
			return b
		}
	}
	return max(len(s.counts)-1, 0)
}

// upTo counts the values in the buckets up to one.
func (s *sketch) upTo(bucket int) (n uint64) {
	for _, count := range s.counts[:min(bucket+1, len(s.counts))] {
		n += uint64(count)
	}
	return n
}

// top is the largest value that may have been recorded in a bucket.
func (s *sketch) top(bucket int) uint64 { return min(max(sketchTop(bucket), s.min), s.max) }

func micros(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }
