package record

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

const (
	// maxCurve is how many intervals the curve of a step has.
	maxCurve = 150
	// maxCurves is how many steps have a curve: those that came first.
	maxCurves = 20
)

// curve is the history of a step: as a timeline, with less of it.
type curve struct {
	width  time.Duration
	points []result.StepPoint
}

// newCurve starts with the shortest width that holds d.
func newCurve(d time.Duration) *curve {
	for _, w := range widths {
		if d/w < maxCurve-1 {
			return &curve{width: w}
		}
	}
	return &curve{width: 24 * time.Hour}
}

func (c *curve) add(at, response time.Duration, failed bool) {
	for at/c.width >= maxCurve {
		c.double()
	}
	i := int(max(at, 0) / c.width)
	for len(c.points) <= i {
		c.points = append(c.points, result.StepPoint{})
	}
	p := result.StepPoint{Finished: 1, Sum: response, Max: response}
	if failed {
		p.Errors = 1
	}
	c.points[i].Add(p)
}

func (c *curve) double() {
	for i := 0; i < len(c.points); i += 2 {
		p := c.points[i]
		if i+1 < len(c.points) {
			p.Add(c.points[i+1])
		}
		c.points[i/2] = p
	}
	half := (len(c.points) + 1) / 2
	clear(c.points[half:])
	c.points = c.points[:half]
	c.width *= 2
}
