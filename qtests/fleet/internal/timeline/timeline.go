// Package timeline counts what happens in equal intervals of time, and draws it. A Timeline is a plain type without lock or clock.
package timeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// maxPoints is how many intervals a timeline has at most; when they are used up, two become one.
const maxPoints = 144

// A Timeline is what happened in equal intervals of time.
type Timeline struct {
	Begun  time.Time
	Width  time.Duration // of an interval
	Points []Point       // an interval each
	level  int           // replicas
}

// A Point is one interval.
type Point struct {
	Answered, Lost uint64
	Replicas       int // the most
}

// New returns a timeline that begins now.
func New(now time.Time) Timeline { return Timeline{Begun: now, Width: time.Second} }

// at returns the interval of now.
func (t *Timeline) at(now time.Time) *Point {
	n := int(now.Sub(t.Begun) / t.Width)
	for n >= maxPoints {
		t.halve()
		n = int(now.Sub(t.Begun) / t.Width)
	}
	for len(t.Points) <= n {
		t.Points = append(t.Points, Point{Replicas: t.level})
	}
	return &t.Points[n]
}

// halve makes one interval of two.
func (t *Timeline) halve() {
	t.Width *= 2
	for i := 0; i < len(t.Points); i += 2 {
		p := t.Points[i]
		if i+1 < len(t.Points) {
			q := t.Points[i+1]
			p = Point{p.Answered + q.Answered, p.Lost + q.Lost, max(p.Replicas, q.Replicas)}
		}
		t.Points[i/2] = p
	}
	t.Points = t.Points[:(len(t.Points)+1)/2]
}

// Request counts a request that was answered or lost now.
func (t *Timeline) Request(now time.Time, answered bool) {
	if p := t.at(now); answered {
		p.Answered++
	} else {
		p.Lost++
	}
}

// SetReplicas says how many replicas there are from now on.
func (t *Timeline) SetReplicas(now time.Time, n int) {
	p := t.at(now)
	t.level = n
	p.Replicas = max(p.Replicas, n)
}

// Until returns a copy of the timeline up to now.
func (t *Timeline) Until(now time.Time) Timeline {
	t.at(now)
	c := *t
	c.Points = slices.Clone(t.Points)
	return c
}

// String draws it, an interval a letter: the replicas, the requests answered, and those lost. Each line says what its highest letter
// stands for.
func (t Timeline) String() string {
	var b strings.Builder
	line := func(name, unit string, value func(p Point) float64) {
		most := 0.0
		for _, p := range t.Points {
			most = max(most, value(p))
		}
		fmt.Fprintf(&b, "%-10s", name)
		for _, p := range t.Points {
			b.WriteRune(bar(value(p), most))
		}
		fmt.Fprintf(&b, "  %s%s\n", text.Significant(most), unit)
	}
	rate := func(n uint64) float64 { return float64(n) / t.Width.Seconds() }
	line("instances", "", func(p Point) float64 { return float64(p.Replicas) })
	line("answered", "/s", func(p Point) float64 { return rate(p.Answered) })
	line("lost", "/s", func(p Point) float64 { return rate(p.Lost) })
	fmt.Fprintf(&b, "%-10s%v a letter, %v in all\n", "", t.Width, text.Short(time.Duration(len(t.Points))*t.Width))
	return b.String()
}

// bar is a letter from nothing to full.
func bar(value, most float64) rune {
	letters := []rune("▁▂▃▄▅▆▇█")
	if value <= 0 {
		return ' '
	}
	return letters[min(len(letters)-1, int(value/most*float64(len(letters))))]
}
