package result

import "time"

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
