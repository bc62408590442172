package chaos

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/tb"
)

const (
	// DefaultChance is the chance of a Fault that names none.
	DefaultChance = 0.5
	// DefaultOperations is among how many operations one is drawn, where Fault.Before is set
	// and Fault.Operations is 0.
	DefaultOperations = 10
	// MostTimes is how often a fault may happen.
	MostTimes = 1000
)

// A Fault is an event that a plan may have happen, and within which bounds. Any event of this
// library will do: an outage, a latency or a reset of a fake, a crash of a fleet's instance or of
// a component, a partition.
type Fault struct {
	// Event is what happens. Its Offset and Duration do not count, except as said below.
	Event event.Event
	// Chance is with which it happens, each of the Most times: over 0 and at most 1. 0 means
	// DefaultChance.
	Chance float64
	// Most is how often it may happen, up to MostTimes. 0 means once. The time from From to To
	// is shared among them, so that a fault does not meet itself.
	Most int
	// From and To bound when it begins, counted from the beginning of the plan. A To of 0 means
	// Config.Within.
	From, To time.Duration
	// Shortest and Longest bound how long it lasts. The logarithm of the duration is drawn evenly,
	// because what matters is often shorter or longer than a timeout. A Longest of 0 means the
	// Event's Duration, always, which may be 0: for ever. A Shortest of 0 means a hundredth of
	// Longest.
	Shortest, Longest time.Duration
	// Before, where it is not nil, has the event begin before an operation of this component: a
	// dial, a write to a connection, or a call of Life.Do. Which one of the first Operations after
	// the drawn instant is drawn, too. So a crash falls between two steps that take no time.
	Before *Component
	// Operations is at least 1, and 0 means DefaultOperations. It needs Before.
	Operations int
}

// withDefaults returns the fault with its defaults, or what is wrong with it.
func (f Fault) withDefaults(within time.Duration) (Fault, error) {
	if f.To == 0 {
		f.To = within
	}
	if f.Longest == 0 {
		f.Shortest, f.Longest = f.Event.Duration, f.Event.Duration
	} else if f.Shortest == 0 {
		f.Shortest = max(f.Longest/100, 1)
	}
	if f.Chance == 0 {
		f.Chance = DefaultChance
	}
	if f.Most == 0 {
		f.Most = 1
	}
	if f.Before != nil && f.Operations == 0 {
		f.Operations = DefaultOperations
	}
	e := f.Event
	e.Offset, e.Duration = 0, 0
	return f, errors.Join(f.check(within), e.Validate())
}

func (f *Fault) check(within time.Duration) error {
	name := f.Event.Name
	switch {
	case name == "":
		return errors.New("an event has no name")
	case !(f.Chance > 0 && f.Chance <= 1):
		return fmt.Errorf("%s: Chance: %v is not over 0 and at most 1", name, f.Chance)
	case f.Most < 1 || f.Most > MostTimes:
		return fmt.Errorf("%s: Most: %d is not from 1 to %d", name, f.Most, MostTimes)
	case f.From < 0 || f.To <= f.From || f.To > within:
		return fmt.Errorf("%s: From and To: %v to %v is no time within %v", name, f.From, f.To, within)
	case f.Shortest < 0 || f.Longest < f.Shortest:
		return fmt.Errorf("%s: Shortest and Longest: %v to %v are no bounds", name, f.Shortest, f.Longest)
	case f.Operations < 0 || f.Operations > 0 && f.Before == nil:
		return fmt.Errorf("%s: Operations: %d, with Before %v", name, f.Operations, f.Before)
	}
	return nil
}

// slots is how many times the fault has, as a time in nanoseconds each.
func (f *Fault) slot(k int) (from, to time.Duration) {
	width := (f.To - f.From) / time.Duration(f.Most)
	return f.From + time.Duration(k)*width, f.From + time.Duration(k+1)*width
}

// draw draws the times of a fault: the k-th is a function of the stream and k alone. first is the
// number of the first.
func (f *Fault) draw(s tb.Stream, first int) (all []inputs.Fault) {
	for k := range f.Most {
		r := s.At(uint64(first + k))
		from, to := f.slot(k)
		happens := r.Float64() < f.Chance
		in := inputs.Fault{Name: f.Event.Name, N: first + k, At: between(r, from, to)}
		in.For = logarithmic(r, f.Shortest, f.Longest)
		if n := r.Uint64(); f.Before != nil {
			in.Before = 1 + int(n%uint64(f.Operations))
		}
		if happens {
			all = append(all, in)
		}
	}
	for i := range all[:max(len(all)-1, 0)] {
		if room := all[i+1].At - all[i].At; all[i].For > room {
			all[i].For = room
		}
	}
	return all
}

// between draws evenly from from up to to.
func between(r *rand.Rand, from, to time.Duration) time.Duration {
	d := from + time.Duration(r.Float64()*float64(to-from))
	return max(rounded(d, to-from), from)
}

// logarithmic draws so that the logarithm is even.
func logarithmic(r *rand.Rand, least, most time.Duration) time.Duration {
	u := r.Float64()
	if least == most {
		return most
	}
	d := time.Duration(float64(max(least, 1)) * math.Pow(float64(most)/float64(max(least, 1)), u))
	return min(max(rounded(d, d), least), most)
}

// rounded leaves what people can read: about a thousandth of the span.
func rounded(d, span time.Duration) time.Duration {
	unit := time.Duration(1)
	for unit*1000*10 <= span {
		unit *= 10
	}
	return d.Truncate(unit)
}
