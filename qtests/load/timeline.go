package load

import (
	"math/bits"
	"time"
)

// maxPoints is how many intervals a timeline keeps.
const maxPoints = 600

// A Point is one interval of a run's timeline. Arrivals and drops count where
// they are due, starts where they happen, and everything else where the request ends.
type Point struct {
	Offset      time.Duration `json:"offset_ns"` // the start of the interval
	Arrivals    int64         `json:"arrivals"`
	Started     int64         `json:"started"`
	Finished    int64         `json:"finished"`
	Errors      int64         `json:"errors"`
	Dropped     int64         `json:"dropped"`
	Interrupted int64         `json:"interrupted"`
	Retries     int64         `json:"retries"`
	InFlight    int64         `json:"in_flight"` // the most at any instant
	// Response times of the requests that ended, to within 3.2 %; zero when
	// there are none.
	P50 time.Duration `json:"p50_ns"`
	P95 time.Duration `json:"p95_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
	// Sum of these response times, and how many of them were within the p(50),
	// p(95) and p(99) of the whole run. Compare tells from them how much the
	// requests depend on each other.
	Sum    time.Duration `json:"sum_ns,omitzero"`
	Within [3]int64      `json:"within,omitzero"`
}

// withins are the percentiles of Point.Within.
var withins = [...]float64{50, 95, 99}

// timeline is the bounded history of a run: when an offset lies beyond its last
// point, the width of the points doubles until it does not.
type timeline struct {
	width    time.Duration
	points   []point
	inFlight int64
}

type point struct {
	Point
	sketch sketch
}

// widths are the intervals a timeline starts with: round, so that its points
// fall on instants people name.
var widths = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
	10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// newTimeline starts with the shortest width that holds d in maxPoints.
func newTimeline(d time.Duration) *timeline {
	for _, w := range widths {
		if d/w < maxPoints-1 {
			return &timeline{width: w}
		}
	}
	return &timeline{width: 24 * time.Hour}
}

// at returns the point of an offset.
func (l *timeline) at(offset time.Duration) *point {
	if i := int(offset / l.width); i < len(l.points) && i >= 0 {
		return &l.points[i]
	}
	return l.extend(max(offset, 0))
}

// extend makes room for an offset and returns its point.
//
//go:noinline
func (l *timeline) extend(offset time.Duration) *point {
	for offset/l.width >= maxPoints {
		l.double()
	}
	i := int(offset / l.width)
	for len(l.points) <= i {
		// Requests that are under way are so in every interval they span.
		l.points = append(l.points, point{Point: Point{
			Offset: time.Duration(len(l.points)) * l.width, InFlight: l.inFlight,
		}})
	}
	return &l.points[i]
}

func (l *timeline) double() {
	for i := 0; i < len(l.points); i += 2 {
		merged := l.points[i]
		if i+1 < len(l.points) {
			merged.add(&l.points[i+1])
		}
		l.points[i/2] = merged
	}
	half := (len(l.points) + 1) / 2
	clear(l.points[half:])
	l.points = l.points[:half]
	l.width *= 2
}

func (p *point) add(q *point) {
	p.Arrivals += q.Arrivals
	p.Started += q.Started
	p.Finished += q.Finished
	p.Errors += q.Errors
	p.Dropped += q.Dropped
	p.Interrupted += q.Interrupted
	p.Retries += q.Retries
	p.InFlight = max(p.InFlight, q.InFlight)
	p.sketch.merge(&q.sketch)
}

// start counts a request that starts.
func (l *timeline) start(offset time.Duration) {
	l.inFlight++
	p := l.at(offset)
	p.Started++
	p.InFlight = max(p.InFlight, l.inFlight)
}

// finish returns the point in which a request ends.
func (l *timeline) finish(offset time.Duration) *point {
	p := l.at(offset)
	p.InFlight = max(p.InFlight, l.inFlight)
	l.inFlight--
	return p
}

// snapshot returns the points with their percentiles.
func (l *timeline) snapshot() []Point {
	points := make([]Point, len(l.points))
	var whole sketch
	for i := range l.points {
		whole.merge(&l.points[i].sketch)
	}
	for i := range l.points {
		p := l.points[i].Point
		s := &l.points[i].sketch
		for k, x := range withins {
			p.Within[k] = int64(s.upTo(whole.bucketOfRank(x)))
		}
		p.Sum = microseconds(s.sum)
		p.P50, p.P95, p.P99, p.Max = s.percentile(50), s.percentile(95), s.percentile(99), microseconds(s.max)
		points[i] = p
	}
	return points
}

// A coarseTime is what a result keeps of a sketch: how many response times were
// in a bucket, and the largest they may have been, in microseconds.
type coarseTime struct {
	value uint64
	count uint32
}

// coarse returns the response times of every interval.
func (l *timeline) coarse() [][]coarseTime {
	out := make([][]coarseTime, len(l.points))
	for i := range l.points {
		s := &l.points[i].sketch
		for b, n := range s.counts {
			if n > 0 {
				out[i] = append(out[i], coarseTime{s.top(b), n})
			}
		}
	}
	return out
}

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
	v := uint64(min(max(d, 0), LongestDuration) / time.Microsecond)
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
	return microseconds(s.top(s.bucketOfRank(p)))
}

// bucketOfRank returns the bucket of the nearest-rank percentile.
func (s *sketch) bucketOfRank(p float64) int {
	rank := rankOf(p, s.total)
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
