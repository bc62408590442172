package qtests

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/settings"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Order says how far the order of a run comes from its seed. See "The ordered runtime"
// in the package doc.
type Order struct {
	// Runtime is true on the ordered runtime. On the stock one the rest is zero.
	Runtime bool
	// Turns is how often a goroutine of the bubble got the turn.
	Turns uint64
	// Disturbances is how often something happened that could not be ordered: a wake
	// from outside the bubble, the network, a system call of more than 100 ms, a loop of
	// more than 2 s while others waited, a channel used by a finalizer. Each is correct
	// Go; what comes behind it may differ in the next run.
	Disturbances uint64
	// First says what the first disturbance was, and at which line, "" without one.
	First string
}

// OrderHere is the [T.Order] of the bubble that the caller is in. Outside it is zero.
func OrderHere() Order {
	r, ok := ordered.Now()
	if !ok {
		return Order{}
	}
	return orderOf(r)
}

// orderOf is what a report of the ordered runtime says.
func orderOf(r ordered.Report) Order {
	o := Order{Runtime: true, Turns: r.Turns, Disturbances: r.Disturbed}
	if r.Disturbed > 0 {
		where := r.Where
		if where == "" {
			where = "a line that could not be seen"
		}
		o.First = fmt.Sprintf("%v, at %s", r.First, where)
	}
	return o
}

// Whole reports whether all of the run was ordered.
func (o Order) Whole() bool { return o.Runtime && o.Disturbances == 0 }

// Brief is String without the number of turns, which the first run of a process may have
// more of: it is the same in every run.
func (o Order) Brief() string {
	switch {
	case !o.Runtime:
		return ""
	case o.Disturbances == 0:
		return "whole"
	}
	return fmt.Sprintf("disturbed %s, first: %s", text.Plural(int(o.Disturbances), "time"), o.First)
}

func (o Order) String() string {
	switch {
	case !o.Runtime:
		return "ordered by the clock alone, on the stock runtime"
	case o.Disturbances == 0:
		return fmt.Sprintf("whole: %s turns", text.Grouped(int64(o.Turns)))
	}
	return fmt.Sprintf("disturbed %s in %s turns, first: %s", text.Plural(int(o.Disturbances), "time"), text.Grouped(int64(o.Turns)), o.First)
}

// strictProblem returns what -qtests.strict fails a run for, or "".
func strictProblem() string {
	if !settings.Strict.Get() {
		return ""
	}
	o := OrderHere()
	switch {
	case !o.Runtime:
		return "qtests: -" + settings.Strict.Flag + " wants the ordered runtime: go tool qtests test"
	case o.Disturbances > 0:
		return "qtests: the order was " + o.String()
	}
	return ""
}
