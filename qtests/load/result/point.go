package result

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/sketch"
)

// A Point is one interval of a run's timeline. Arrivals and drops are counted where they are due,
// starts where they happen, and everything else where the request ends.
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
	// P50 and the others are response times of the requests that ended, to within 3.2 %. They are
	// zero if none ended.
	P50 time.Duration `json:"p50_ns"`
	P95 time.Duration `json:"p95_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
	// Sum is the sum of these response times, and Within how many of them were at most the p(50),
	// p(95) and p(99) of the whole run. Package compare tells from them how much the requests depend
	// on each other.
	Sum    time.Duration `json:"sum_ns,omitzero"`
	Within [3]int64      `json:"within,omitzero"`
}

// Percentiles are those that Point.Within counts by.
var Percentiles = sketch.Percentiles

// A Series is what a monitor saw of one metric during a run. It has one value for each interval of the
// timeline: the largest that was scraped in it, or else the latest value before it.
type Series struct {
	Metric string    `json:"metric"` // pool_resources, pool_waiters, breaker_state, …
	Labels string    `json:"labels"` // the values of its labels
	Values []float64 `json:"values"`
}

// A StepPoint is what ended of a step in one interval.
type StepPoint struct {
	Finished int64         `json:"n"`
	Errors   int64         `json:"errors,omitempty"`
	Sum      time.Duration `json:"sum_ns"` // of the response times
	Max      time.Duration `json:"max_ns"`
}

// Add adds what ended in another interval.
func (p *StepPoint) Add(q StepPoint) {
	p.Finished += q.Finished
	p.Errors += q.Errors
	p.Sum += q.Sum
	p.Max = max(p.Max, q.Max)
}

// addCurve adds the curve of another part, at the wider of both widths. Widths that do not divide each other leave no curve.
func (s *StepResult) addCurve(q *StepResult) {
	switch {
	case len(q.Curve) == 0:
		return
	case len(s.Curve) == 0:
		s.Interval = q.Interval
	case max(s.Interval, q.Interval)%min(s.Interval, q.Interval) != 0:
		s.Curve = nil
		return
	}
	width := max(s.Interval, q.Interval)
	var sum []StepPoint
	for _, x := range []*StepResult{s, q} {
		for i, p := range x.Curve {
			at := int(time.Duration(i) * x.Interval / width)
			for len(sum) <= at {
				sum = append(sum, StepPoint{})
			}
			sum[at].Add(p)
		}
	}
	s.Interval, s.Curve = width, sum
}
