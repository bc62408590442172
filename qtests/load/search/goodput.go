package search

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// judge finds the last interval after the disturbance from which goodput is down over Hold. The time after that
// interval is the recovery, if it lasts for Hold.
func (d Disturbances) judge(size float64, res *result.Result, event event.Event, profile traffic.Profile) (Recovery, error) {
	end := event.Offset + event.Duration
	first, hold := intervals(end, res.Interval), 10
	if d.Hold > 0 {
		hold = intervals(d.Hold, res.Interval)
	}
	last := min(int(res.Duration/res.Interval), len(res.Timeline))
	if first+hold > last {
		return Recovery{}, fmt.Errorf("%d intervals of %v after event %q, which ends at %v, are too few for a Hold of %d",
			max(last-first, 0), res.Interval, event.Name, end, hold)
	}
	y := yields(res, profile)
	before := total(y[:event.Offset/res.Interval])
	if before.good == 0 {
		return Recovery{}, fmt.Errorf("no goodput before event %q at %v, of %d requests that ended: nothing can return",
			event.Name, event.Offset, before.ended)
	}
	want := target{share: d.Share * before.share(), users: profile.Kind() == traffic.Closed}
	final := total(y[last-max(last/10, 1) : last])
	r := Recovery{Size: size, Before: before.share(), Final: final.share(), Result: res, users: want.users}
	from := upFrom(y[:last], first, hold, want)
	r.Recovered = from+hold <= last && !final.below(want)
	if r.Recovered {
		r.After = max(time.Duration(from)*res.Interval-end, 0)
	}
	return r, nil
}

// intervals is how many intervals d takes, the last one perhaps in part.
func intervals(d, interval time.Duration) int { return int((d + interval - 1) / interval) }

// upFrom is the interval, first or a later one, from which the target is met over any hold intervals.
func upFrom(y []yield, first, hold int, want target) int {
	from := first
	for i := first; i+hold <= len(y); i++ {
		if total(y[i : i+hold]).below(want) {
			from = i + 1
		}
	}
	for from < len(y) && y[from].below(want) {
		from++ // the first intervals of a window that is up on the whole
	}
	return from
}

// A yield is what the load of some intervals led to: the good requests, all requests that ended, and what was due, in
// arrivals or in user-seconds.
type yield struct {
	good, ended int64
	due         float64
}

// share is the goodput divided by what was due.
func (y yield) share() float64 {
	if y.due == 0 {
		return 0
	}
	return float64(y.good) / y.due
}

// A target is the share from which the system counts as up.
type target struct {
	share float64
	users bool
}

// below reports whether y misses the target by more than three standard errors. Each arrival is good or not, so that
// their error is binomial; the number of requests that users make has Poisson's. If nothing was due, nothing is known.
func (y yield) below(t target) bool {
	expected := t.share * y.due
	variance := expected
	if !t.users {
		variance *= max(1-t.share, 0)
	}
	return y.due > 0 && float64(y.good) < expected-3*math.Sqrt(variance)
}

// yields returns the yield of every interval of the timeline. Users wait for their answers: what is due is the number
// of users, and not the number of requests that they make.
func yields(res *result.Result, profile traffic.Profile) []yield {
	out := make([]yield, len(res.Timeline))
	for i, p := range res.Timeline {
		out[i] = yield{p.Finished - p.Errors, p.Finished, float64(p.Arrivals)}
		if profile.Kind() == traffic.Closed {
			out[i].due = profile.LevelAt(p.Offset+res.Interval/2) * res.Interval.Seconds()
		}
	}
	return out
}

func total(ys []yield) (sum yield) {
	for _, y := range ys {
		sum = yield{sum.good + y.good, sum.ended + y.ended, sum.due + y.due}
	}
	return sum
}
