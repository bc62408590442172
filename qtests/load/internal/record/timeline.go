package record

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// MaxPoints is how many intervals a timeline keeps.
const MaxPoints = 600

// timeline is the bounded history of a run: when an offset lies beyond its last
// point, the width of the points doubles until it does not.
type timeline struct {
	width    time.Duration
	points   []point
	inFlight int64
	latest   *point // that at has returned last, if the points have not moved since
}

type point struct {
	result.Point
	times sketch.Sketch
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
		if d/w < MaxPoints-1 {
			return &timeline{width: w}
		}
	}
	return &timeline{width: 24 * time.Hour}
}

// at returns the point of an offset.
func (l *timeline) at(offset time.Duration) *point {
	if p := l.latest; p != nil && uint64(offset-p.Offset) < uint64(l.width) {
		return p
	}
	return l.find(max(offset, 0))
}

// find is at for another point than the latest.
//
//go:noinline
func (l *timeline) find(offset time.Duration) *point {
	if i := int(offset / l.width); i < len(l.points) {
		l.latest = &l.points[i]
	} else {
		l.latest = l.extend(offset)
	}
	return l.latest
}

// extend makes room for an offset and returns its point.
func (l *timeline) extend(offset time.Duration) *point {
	for offset/l.width >= MaxPoints {
		l.double()
	}
	i := int(offset / l.width)
	for len(l.points) <= i {
		// Requests that are under way are so in every interval they span.
		l.points = append(l.points, point{Point: result.Point{
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
	l.latest = nil
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
	p.times.Merge(&q.times)
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
func (l *timeline) snapshot() []result.Point {
	points := make([]result.Point, len(l.points))
	var whole sketch.Sketch
	for i := range l.points {
		whole.Merge(&l.points[i].times)
	}
	for i := range l.points {
		p, f := l.points[i].Point, l.points[i].times.Figures(&whole)
		p.P50, p.P95, p.P99, p.Max, p.Sum, p.Within = f.P50, f.P95, f.P99, f.Max, f.Sum, f.Within
		points[i] = p
	}
	return points
}

// buckets returns the response times of every interval.
func (l *timeline) buckets() [][]result.Bucket {
	out := make([][]result.Bucket, len(l.points))
	for i := range l.points {
		l.points[i].times.Each(func(top time.Duration, n int64) { out[i] = append(out[i], result.Bucket{Top: top, Count: n}) })
	}
	return out
}
