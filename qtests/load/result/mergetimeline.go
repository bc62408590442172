package result

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// mostPoints is more than any timeline has.
const mostPoints = 10_000

// addTimelines puts the timelines together, at the width of the widest.
func (m *merged) addTimelines(parts []*Result) error {
	for _, p := range parts {
		m.Interval = max(m.Interval, p.Interval)
	}
	var points []Point
	var times []sketch.Sketch
	for _, p := range parts {
		own, err := p.timelineAt(m.Interval)
		if err != nil {
			return fmt.Errorf("load: Merge: the timeline of %s %w", p.part(), err)
		}
		for len(points) < len(own) {
			points, times = append(points, Point{Offset: time.Duration(len(points)) * m.Interval}), append(times, sketch.Sketch{})
		}
		for i := range p.Timeline {
			times[p.Timeline[i].Offset/m.Interval].Merge(&p.Part.Intervals[i])
		}
		for i := range own {
			inFlight := points[i].InFlight + own[i].InFlight
			points[i].add(&own[i])
			points[i].InFlight = inFlight
		}
	}
	m.describe(points, times)
	return nil
}

// timelineAt is the timeline of a part with wider intervals.
func (r *Result) timelineAt(width time.Duration) ([]Point, error) {
	if r.Interval <= 0 || width%r.Interval != 0 {
		return nil, fmt.Errorf("has intervals of %v, which do not divide %v", r.Interval, width)
	}
	if len(r.Timeline) != len(r.Part.Intervals) {
		return nil, fmt.Errorf("has %d intervals, and the times of %d", len(r.Timeline), len(r.Part.Intervals))
	}
	own := make([]Point, 0, len(r.Timeline))
	for i := range r.Timeline {
		at := int(r.Timeline[i].Offset / width)
		if at >= mostPoints {
			return nil, fmt.Errorf("reaches to %v, with intervals of %v: no run has as many", r.Timeline[i].Offset, width)
		}
		for len(own) <= at {
			own = append(own, Point{})
		}
		own[at].add(&r.Timeline[i])
	}
	return own, nil
}

// describe sets the timeline, and what is told of it.
func (m *merged) describe(points []Point, times []sketch.Sketch) {
	var whole sketch.Sketch
	for i := range times {
		whole.Merge(&times[i])
	}
	for i := range points {
		p, f := &points[i], times[i].Figures(&whole)
		p.P50, p.P95, p.P99, p.Max, p.Sum, p.Within = f.P50, f.P95, f.P99, f.Max, f.Sum, f.Within
		m.MaxInFlight = max(m.MaxInFlight, p.InFlight)
	}
	m.Timeline, m.Part.Intervals, m.Buckets = points, times, bucketsOf(times)
	m.Heat = HeatOf(m.Buckets, m.Interval)
}

// add adds the counts of another point. What is in flight is the most of both.
func (p *Point) add(q *Point) {
	p.Arrivals += q.Arrivals
	p.Started += q.Started
	p.Finished += q.Finished
	p.Errors += q.Errors
	p.Dropped += q.Dropped
	p.Interrupted += q.Interrupted
	p.Retries += q.Retries
	p.InFlight = max(p.InFlight, q.InFlight)
}

func bucketsOf(times []sketch.Sketch) [][]Bucket {
	out := make([][]Bucket, len(times))
	for i := range times {
		times[i].Each(func(top time.Duration, n int64) { out[i] = append(out[i], Bucket{Top: top, Count: n}) })
	}
	return out
}

// mergedMarks tells what several parts tell once: the k-th mark of a text in one part is the k-th in
// the others.
func mergedMarks(parts []*Result) []Mark {
	type key struct {
		source, text string
		k            int
	}
	at, count, out := map[key]int{}, map[key]int{}, []Mark{}
	for _, p := range parts {
		times := map[key]int{}
		for _, m := range p.Marks {
			id := key{m.Source, m.Text, 0}
			times[id]++
			id.k = times[id]
			i, known := at[id]
			if !known {
				at[id] = len(out)
				out = append(out, m)
			} else {
				out[i].Offset = min(out[i].Offset, m.Offset)
			}
			count[id]++
		}
	}
	for id, i := range at {
		if count[id] < len(parts) {
			out[i].Text += fmt.Sprintf(" (in %d of %d parts)", count[id], len(parts))
		}
	}
	slices.SortStableFunc(out, func(a, b Mark) int { return cmp.Compare(a.Offset, b.Offset) })
	return out
}
