package bubble

import "github.com/go-qtests/qtests/qtests/internal/stacks"

// A funcTimer is what the clock knows of one AfterFunc. Its Reset is the Reset of
// package time, which no wrapper sees: the timer then fires late, at an instant
// that it has not claimed. It is a plain structure, behind the lock of the timeline.
type funcTimer struct {
	order   uint64          // in which the timers were made
	where   stacks.Position // of the user, if the run is verified
	f       func()
	planned claim
	// last is when f ran last; before the first time, when the timer was made.
	last claim
	ran  bool
	// own is the nanosecond within a microsecond that nothing but this timer uses,
	// or -1. One that resets itself gets one, and from then on needs no other place.
	own int64
}

// A lateCall is a call of a timer that fired late. All of one instant wait for its
// end, and are made in the order in which the timers were.
type lateCall struct {
	timer *funcTimer
	due   int64 // nominal
}

// mayFire reports whether the raw instant now is one that the timer has for itself.
func (t *funcTimer) mayFire(now int64) bool {
	return now == t.planned.raw || now%microsecond == t.own
}

// dueAt returns the nominal instant of a timer that was Reset and fires at now. Who
// reset it ran displaced, by how much is not known. It was the timer's own
// function if what was asked for is then a whole number of microseconds, as nearly
// always; if not, such a number leaves what is displaced.
func (t *funcTimer) dueAt(now, stretch int64) int64 {
	due := now - (t.last.raw - t.last.nominal)
	if rest := (now - t.last.nominal) % microsecond; (due-t.last.nominal)%microsecond != 0 && rest <= stretch {
		due = now - rest
	}
	return max(due, t.last.nominal)
}
