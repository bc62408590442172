package scale

import (
	"fmt"
	"slices"
	"time"
)

// DefaultFlapWindow is within which a change that turns back on the one before counts as flapping.
const DefaultFlapWindow = 10 * time.Minute

// MaxChanges is how many changes a [Record] keeps.
const MaxChanges = 10_000

// A Record adds up how many replicas there were. The zero Record is ready. It is not safe for concurrent use.
type Record struct {
	// FlapWindow is DefaultFlapWindow if it is zero.
	FlapWindow time.Duration

	begun, last time.Time
	replicas    int
	over        bool
	served      time.Duration // replicas times how long
	sum         Summary
	changes     []Change
}

// A Change of the wanted replicas.
type Change struct {
	At       time.Time
	From, To int
	Reason   string
}

func (c Change) String() string { return fmt.Sprintf("%d → %d: %s", c.From, c.To, c.Reason) }

// A Summary is what a Record adds up to.
type Summary struct {
	Length        time.Duration
	InstanceHours float64
	OverTarget    time.Duration // with a ratio of usage to target above 1 + tolerance
	Least, Most   int           // replicas
	Changes       int
	// Flaps are changes against the direction of the change before, within the window.
	Flaps   int
	Dropped int // changes beyond MaxChanges, which are counted and not kept
}

func (s Summary) String() string {
	return fmt.Sprintf("%d to %d replicas, %.1f instance-hours in %v, over target for %v, %d changes, %d of them flaps",
		s.Least, s.Most, s.InstanceHours, s.Length, s.OverTarget, s.Changes, s.Flaps)
}

// Set says that from now on there are so many replicas, and whether the system is over its target. Its
// times do not fall.
func (r *Record) Set(now time.Time, replicas int, over bool, reason string) {
	r.advance(now)
	if r.begun.IsZero() {
		r.begun, r.last = now, now
		r.sum.Least, r.sum.Most = replicas, replicas
	} else if replicas != r.replicas {
		r.change(Change{now, r.replicas, replicas, reason})
	}
	r.replicas, r.over = replicas, over
	r.sum.Least, r.sum.Most = min(r.sum.Least, replicas), max(r.sum.Most, replicas)
}

func (r *Record) advance(now time.Time) {
	if r.begun.IsZero() {
		return
	}
	d := now.Sub(r.last)
	r.last = now
	r.served += time.Duration(r.replicas) * d
	if r.over {
		r.sum.OverTarget += d
	}
}

func (r *Record) change(c Change) {
	r.sum.Changes++
	if len(r.changes) > 0 {
		before := r.changes[len(r.changes)-1]
		back := (before.To > before.From) != (c.To > c.From)
		if back && c.At.Sub(before.At) <= or(r.FlapWindow, DefaultFlapWindow) {
			r.sum.Flaps++
		}
	}
	if len(r.changes) == MaxChanges { // the last one is what the next is compared with
		r.changes = r.changes[:MaxChanges-1]
		r.sum.Dropped++
	}
	r.changes = append(r.changes, c)
}

// Summary adds up until now.
func (r *Record) Summary(now time.Time) Summary {
	r.advance(now)
	r.sum.Length, r.sum.InstanceHours = r.last.Sub(r.begun), r.served.Hours()
	return r.sum
}

// Changes returns what was changed.
func (r *Record) Changes() []Change { return slices.Clone(r.changes) }
