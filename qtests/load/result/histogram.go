package result

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
)

// The layout is the same as in an HDR histogram (Tene), with three significant digits and a unit of one
// microsecond: 2048 buckets of one unit, then 1024 buckets for every doubling. The counts are not kept
// in an hdrhistogram.Histogram for two reasons: that type allocates its whole range at once (220 KB up
// to 24 hours, per step), and it forgets which value of a bucket was recorded.
const (
	subBits  = 11
	halfSize = 1 << (subBits - 1)
	// fewest is how many buckets are made at first. It is enough for the lateness in fake time.
	fewest = 128
)

// LongestDuration is the longest duration in a [Histogram]. A longer one is counted as this.
const LongestDuration = sketch.Longest

// A Histogram counts durations, rounded to the microsecond. Its memory depends on the largest duration
// only: 132 KiB up to one second, 276 KiB up to an hour, 336 KiB up to 24 hours. The zero value is empty
// and ready for use. It is not safe for concurrent use.
type Histogram struct {
	counts []uint64
	// tops holds the largest value recorded in each bucket, as the distance to the lowest of the
	// bucket. So a percentile is a duration that did occur. It is exact if its bucket holds one
	// value, as under a fake clock with fixed latencies.
	tops  []uint32
	total uint64
	sum   uint64
	min   uint64
}

// locate returns the bucket of a value, and how far above the bucket's lowest it is.
func locate(v uint64) (bucket int, above uint32) {
	shift := 64 - bits.LeadingZeros64(v|(2*halfSize-1)) - subBits
	return shift*halfSize + int(v>>shift), uint32(v & (1<<shift - 1))
}

func bucketOf(v uint64) int {
	b, _ := locate(v)
	return b
}

func lowestOf(bucket int) uint64 {
	if bucket < 2*halfSize {
		return uint64(bucket)
	}
	shift := bucket/halfSize - 1
	return uint64(bucket-shift*halfSize) << shift
}

// Record counts one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	// A division of unsigned numbers takes fewer instructions.
	h.record((uint64(min(max(d, 0), LongestDuration))+uint64(time.Microsecond/2))/uint64(time.Microsecond), 1)
}

func (h *Histogram) record(v, n uint64) {
	b, above := locate(v)
	if b >= len(h.counts) {
		h.grow(b)
	}
	h.counts[b] += n
	// The rest is written only if it changes, which few values do.
	if above > h.tops[b] {
		h.tops[b] = above
	}
	if v < h.min || h.total == 0 {
		h.min = v
	}
	h.total += n
	h.sum += v * n
}

// grow makes room for bucket b, to the end of its doubling, so that a rising
// maximum reallocates a few times and not for every new value.
func (h *Histogram) grow(b int) {
	size := fewest
	if b >= fewest {
		size = (b/halfSize + 1) * halfSize
	}
	counts, tops := make([]uint64, size), make([]uint32, size)
	copy(counts, h.counts)
	copy(tops, h.tops)
	h.counts, h.tops = counts, tops
}

// Merge adds everything counted in other.
func (h *Histogram) Merge(other *Histogram) {
	for b, n := range other.counts {
		if n > 0 {
			h.record(lowestOf(b)+uint64(other.tops[b]), n)
		}
	}
	if other.total > 0 {
		// The loop above saw the largest value of each bucket only.
		var seen uint64
		for b, n := range other.counts {
			seen += n * (lowestOf(b) + uint64(other.tops[b]))
		}
		h.sum -= seen - other.sum
		h.min = min(h.min, other.min)
	}
}

// Reset empties h and keeps its memory.
func (h *Histogram) Reset() {
	if h.total > 0 { // buckets beyond the smallest and the largest value are empty
		low, high := bucketOf(h.min), h.bucketOfRank(h.total)+1
		clear(h.counts[low:high])
		clear(h.tops[low:high])
	}
	h.total, h.sum, h.min = 0, 0, 0
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() int64 { return int64(h.total) }

// Min returns the smallest duration, or zero when there is none.
func (h *Histogram) Min() time.Duration { return microseconds(h.min) }

// Max returns the largest duration, or zero when there is none.
func (h *Histogram) Max() time.Duration { return h.Percentile(100) }

// Mean returns the average of the recorded values, rounded to the microsecond, or zero
// when there is none.
func (h *Histogram) Mean() time.Duration {
	if h.total == 0 {
		return 0
	}
	return microseconds((h.sum + h.total/2) / h.total)
}

// Sum returns the sum of the recorded values, in seconds.
func (h *Histogram) Sum() float64 { return float64(h.sum) / 1e6 }

// Moments returns the mean of the recorded values, which is not rounded, in nanoseconds,
// and their variance, in square nanoseconds. The variance takes all values of a bucket for
// the largest of them. It is zero for fewer than two values.
func (h *Histogram) Moments() (mean, variance float64) {
	if h.total < 2 {
		return float64(h.sum) * 1000, 0
	}
	micros, squares := float64(h.sum)/float64(h.total), 0.0
	for b, n := range h.counts {
		if n > 0 {
			d := float64(lowestOf(b)+uint64(h.tops[b])) - micros
			squares += float64(n) * d * d
		}
	}
	return micros * 1000, 1e6 * squares / float64(h.total-1)
}

// AtRank returns the value of a rank: 1 is the smallest value, Count the largest. It is
// rounded up as Percentile is.
func (h *Histogram) AtRank(rank int64) time.Duration {
	if rank < 1 || uint64(rank) > h.total {
		return h.Max()
	}
	b := h.bucketOfRank(uint64(rank))
	return microseconds(lowestOf(b) + uint64(h.tops[b]))
}

// Percentile returns the nearest-rank percentile: the smallest recorded value such that at least p
// percent of all values are no larger. p is read to six decimals; below 0 it counts as 0, and above 100
// as 100. The result is the largest value recorded in the bucket of that rank. It is at most 0.1 % above
// the exact percentile, and equal to it if the bucket holds one value. It is zero if nothing was
// recorded.
func (h *Histogram) Percentile(p float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	b := h.bucketOfRank(RankOf(p, h.total))
	return microseconds(lowestOf(b) + uint64(h.tops[b]))
}

// bucketOfRank returns the bucket with the value of a rank, 1 to total. The search begins at the nearer
// end: people ask for high percentiles, and 99 of 100 buckets lie below them.
func (h *Histogram) bucketOfRank(rank uint64) int {
	if above := h.total - rank; above < rank {
		b := len(h.counts)
		for seen := uint64(0); seen <= above; {
			b--
			seen += h.counts[b]
		}
		return b
	}
	b := -1
	for seen := uint64(0); seen < rank; {
		b++
		seen += h.counts[b]
	}
	return b
}

// RankOf returns the rank of the nearest-rank percentile p of n values: ceil(p/100 * n),
// at least 1. p is read to six decimals.
func RankOf(p float64, n uint64) uint64 { return sketch.RankOf(p, n) }

// Within returns how many values are at most d. It counts whole buckets, by the largest
// value recorded in each.
func (h *Histogram) Within(d time.Duration) (n int64) {
	limit := uint64(d / time.Microsecond)
	for b, count := range h.counts {
		if count > 0 && lowestOf(b)+uint64(h.tops[b]) > limit {
			break
		}
		n += int64(count)
	}
	return n
}

func microseconds(v uint64) time.Duration { return time.Duration(v) * time.Microsecond }

// histogramJSON is the wire form: all times in microseconds, the buckets as
// pairs of the largest value recorded and its count.
type histogramJSON struct {
	Unit    string      `json:"unit"`
	Sum     uint64      `json:"sum"`
	Min     uint64      `json:"min"`
	Buckets [][2]uint64 `json:"buckets"`
}

// MarshalJSON writes every non-empty bucket, so that nothing is lost.
func (h Histogram) MarshalJSON() ([]byte, error) {
	j := histogramJSON{Unit: "us", Sum: h.sum, Min: h.min, Buckets: [][2]uint64{}}
	for b, n := range h.counts {
		if n > 0 {
			j.Buckets = append(j.Buckets, [2]uint64{lowestOf(b) + uint64(h.tops[b]), n})
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote and rejects anything else.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var j histogramJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	if j.Unit != "us" {
		return fmt.Errorf("load: histogram: unit %q is not \"us\"", j.Unit)
	}
	*h = Histogram{}
	var last uint64
	for i, pair := range j.Buckets {
		value, n := pair[0], pair[1]
		switch {
		case value > uint64(LongestDuration/time.Microsecond):
			return fmt.Errorf("load: histogram: bucket %d: %d us is over %v", i, value, LongestDuration)
		case i > 0 && value <= last, n == 0, n > math.MaxInt64 || h.total > math.MaxInt64-n:
			return fmt.Errorf("load: histogram: bucket %d: %v is not in order or has no valid count", i, pair)
		}
		last = value
		h.record(value, n)
	}
	if h.total > 0 {
		h.sum, h.min = j.Sum, min(j.Min, h.min)
	}
	return nil
}
