package fleet

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// timelineSize is how many intervals a timeline has at most; when they are used up, two become one.
const timelineSize = 144

// A timeline is what happened in equal intervals of time.
type timeline struct {
	begun  time.Time
	width  time.Duration
	level  int // replicas
	points []point
}

// A point is one interval.
type point struct {
	answered, lost uint64
	replicas       int // the most
}

func (t *timeline) begin(now time.Time) { t.begun, t.width = now, time.Second }

// at returns the interval of now.
func (t *timeline) at(now time.Time) *point {
	n := int(now.Sub(t.begun) / t.width)
	for n >= timelineSize {
		t.halve()
		n = int(now.Sub(t.begun) / t.width)
	}
	for len(t.points) <= n {
		t.points = append(t.points, point{replicas: t.level})
	}
	return &t.points[n]
}

// halve makes one interval of two.
func (t *timeline) halve() {
	t.width *= 2
	for i := 0; i < len(t.points); i += 2 {
		p := t.points[i]
		if i+1 < len(t.points) {
			q := t.points[i+1]
			p = point{p.answered + q.answered, p.lost + q.lost, max(p.replicas, q.replicas)}
		}
		t.points[i/2] = p
	}
	t.points = t.points[:(len(t.points)+1)/2]
}

func (t *timeline) request(now time.Time, o outcome) {
	if p := t.at(now); o == answered {
		p.answered++
	} else {
		p.lost++
	}
}

func (t *timeline) replicas(now time.Time, n int) {
	p := t.at(now)
	t.level = n
	p.replicas = max(p.replicas, n)
}

// timelineNow returns a copy of the timeline up to now.
func (f *Fleet) timelineNow() (t timeline) {
	f.read(func(s *state) {
		s.timeline.at(f.clk.Now())
		t = s.timeline
		t.points = append([]point(nil), t.points...)
	})
	return t
}

// Picture draws what happened so far, an interval a letter: how many instances there were, how many requests were answered, and how many lost. Each
// line says what its highest letter stands for.
func (f *Fleet) Picture() string {
	t := f.timelineNow()
	var b strings.Builder
	line := func(name, unit string, value func(p point) float64) {
		most := 0.0
		for _, p := range t.points {
			most = max(most, value(p))
		}
		fmt.Fprintf(&b, "%-10s", name)
		for _, p := range t.points {
			b.WriteRune(bar(value(p), most))
		}
		fmt.Fprintf(&b, "  %s%s\n", text.Significant(most), unit)
	}
	rate := func(n uint64) float64 { return float64(n) / t.width.Seconds() }
	line("instances", "", func(p point) float64 { return float64(p.replicas) })
	line("answered", "/s", func(p point) float64 { return rate(p.answered) })
	line("lost", "/s", func(p point) float64 { return rate(p.lost) })
	fmt.Fprintf(&b, "%-10s%v a letter, %v in all\n", "", t.width, text.Short(time.Duration(len(t.points))*t.width))
	return b.String()
}

// bar is a letter from nothing to full.
func bar(value, most float64) rune {
	letters := []rune("▁▂▃▄▅▆▇█")
	if value <= 0 || most <= 0 {
		return ' '
	}
	return letters[min(len(letters)-1, int(value/most*float64(len(letters))))]
}
