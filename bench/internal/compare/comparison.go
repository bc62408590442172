// Package compare measures things that do the same work beside each other, and
// says how they compare.
//
// A [Comparison] is declared once, as data: its contestants, the figures that each
// of them yields, and the targets that ours has to meet. [Run] measures it: all
// contestants take one turn each in every round, in an order that changes, and
// they are compared round by round, so that what slows the machine down for a
// while slows all of them down and leaves the ratios alone. [Report.Fill] does so for
// everything that is declared and [Report.Markdown] writes it down; [Benchmark]
// offers every contestant to go test -bench, to be profiled.
package compare

import (
	"testing"
)

// A Group is a table of the results.
type Group struct {
	Name string
	// About says what one operation is and how it is measured, in Markdown.
	About       string
	Comparisons []Comparison
	// Chart, if set, draws the results of the group; the file is ChartFile.
	Chart     func(results []*Result) (svg string)
	ChartFile string
}

// A Comparison is contestants that do the same work. Each of its figures is a row
// of the results.
type Comparison struct {
	Name string
	// Setup, if set, is called once, before the contestants are set up.
	Setup       func(t testing.TB)
	Contestants []Contestant
	Figures     []Figure
	// Why explains, in prose, what ours has to pay that others have not. It is shown
	// where a target is missed or a peer is ahead; [Report.Unexplained] names the rows
	// that lack it there.
	Why string
	// Rounds, if set, are how many a full run takes: turns that are long by nature
	// cannot be as many as others.
	Rounds int
}

// A Contestant is one way to do the work.
type Contestant struct {
	Name string
	Role Role
	Work Work
	// Absent, if set, is why the contestant does not take part, in a few words.
	Absent string
}

// A Role is what a contestant is in its comparison.
type Role int

const (
	// RoleOurs is the one that the targets are for. There is one of it.
	RoleOurs Role = iota
	// RolePeer is what people use now.
	RolePeer
	// RoleFloor is what the work takes in the usual way without the rest: locks, a
	// channel, bare sleeps. Ours is below it where it does without that.
	RoleFloor
)

// OursName is the name of every contestant of the role RoleOurs.
const OursName = "qtests"

// Ours is our contestant.
func Ours(w Work) Contestant { return Contestant{Name: OursName, Role: RoleOurs, Work: w} }

// Peer is a contestant that we want to be ahead of.
func Peer(name string, w Work) Contestant { return Contestant{Name: name, Role: RolePeer, Work: w} }

// Floor is a contestant that does the usual part of the work and nothing else.
func Floor(name string, w Work) Contestant { return Contestant{Name: name, Role: RoleFloor, Work: w} }

// Work is what a contestant does, from [Timed] or [Measured].
type Work struct {
	timed    func(t testing.TB) func(n int) error
	measured func(t testing.TB) func(Size) (Readings, error)
}

// Timed is work that is done n times over and timed from outside. It yields
// [Time] and [Allocations], each of one operation. start sets it up; what must be
// undone is registered with t.Cleanup.
func Timed(start func(t testing.TB) (run func(n int) error)) Work { return Work{timed: start} }

// Measured is work that measures itself.
func Measured(start func(t testing.TB) (measure func(Size) (Readings, error))) Work {
	return Work{measured: start}
}

// Size is how much work a measurement does.
type Size int

const (
	// Smoke is as little as shows that it works.
	Smoke Size = iota
	// Full is what the results are made of.
	Full
)

// Pick returns the first number for Smoke and the second one for Full.
func (s Size) Pick(smoke, full int) int {
	if s == Full {
		return full
	}
	return smoke
}

// Readings are what one turn of a contestant yields, by the name of the figure. A
// figure that is not there is one that the contestant does not have.
type Readings map[string]float64

// A Figure is one thing that is measured.
type Figure struct {
	Name string
	Unit Unit
	// MoreIsBetter turns the comparison round.
	MoreIsBetter bool
	// MayBeZero says that zero, or less, is a sensible reading.
	MayBeZero bool
	Targets   []Target
}

// Figures that timed work yields.
const (
	Time        = "time"
	Allocations = "allocations"
)

// TimeOf is the figure [Time] with its targets.
func TimeOf(targets ...Target) Figure {
	return Figure{Name: Time, Unit: Nanoseconds, Targets: targets}
}

// AllocationsOf is the figure [Allocations] with its targets.
func AllocationsOf(targets ...Target) Figure {
	return Figure{Name: Allocations, Unit: Count, MayBeZero: true, Targets: targets}
}

// ours returns our contestant.
func (c *Comparison) ours() *Contestant {
	for i := range c.Contestants {
		if c.Contestants[i].Role == RoleOurs {
			return &c.Contestants[i]
		}
	}
	panic("compare: " + c.Name + ": none of the contestants is ours")
}

// named returns the contestant of that name, or nil.
func (c *Comparison) named(name string) *Contestant {
	for i := range c.Contestants {
		if c.Contestants[i].Name == name {
			return &c.Contestants[i]
		}
	}
	return nil
}
