package fleet

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Plan draws faults from the seed: in all, one every Every on average, at random instants (a Poisson process), each at one
// instance drawn, of a kind drawn by weight.
type Plan struct {
	For   time.Duration // the length of the plan, above 0
	Every time.Duration // the mean time between two faults, above 0
	// Crashes, Hangs and Slows are weights of the kinds. All zero: crashes alone.
	Crashes, Hangs, Slows float64
	// Lasting is how long a hang or a slowness lasts. Default: exponential, 1 min on average.
	Lasting latency.Distribution
	// Factor is by how much a slow instance takes longer. Default 5.
	Factor float64
}

// maxFaults bounds a plan.
const maxFaults = 10_000

// Faults returns the events of a plan: the same ones for the same seed and plan. A plan with more than 10,000 faults, or one that
// is negative, fails the test.
func (f *Fleet) Faults(p Plan) []event.Event {
	f.q.Helper()
	if err := p.check(); err != nil {
		tb.Fatalf(f.q, "%v", err)
	}
	if p.Crashes+p.Hangs+p.Slows == 0 {
		p.Crashes = 1
	}
	if p.Lasting.IsZero() {
		p.Lasting = latency.Exponential(time.Minute)
	}
	p.Factor = or(p.Factor, 5)
	r := f.stream.Sub("plan").Rand()
	var events []event.Event
	at := time.Duration(0)
	for {
		at += time.Duration(r.ExpFloat64() * float64(p.Every))
		if at >= p.For {
			return events
		}
		if len(events) == maxFaults {
			tb.Fatalf(f.q, "fleet: Plan: more than %d faults", maxFaults)
		}
		event := f.Crash(Some(1))
		lasting := p.Lasting.Sample(r) + time.Millisecond
		switch kind := r.Float64() * (p.Crashes + p.Hangs + p.Slows); {
		case kind < p.Crashes:
			lasting = 0
		case kind < p.Crashes+p.Hangs:
			event = f.Hang(Some(1))
		default:
			event = f.Slow(Some(1), p.Factor)
		}
		events = append(events, event.At(at).For(lasting))
	}
}

func (p Plan) check() error {
	c := field.Check("fleet: Plan")
	c.That(p.For > 0, "For", p.For, "is not above 0")
	c.That(p.Every > 0, "Every", p.Every, "is not above 0")
	for i, w := range []float64{p.Crashes, p.Hangs, p.Slows} {
		c.Finite([]string{"Crashes", "Hangs", "Slows"}[i], w)
	}
	c.Err("Lasting", p.Lasting.Err())
	c.That(p.Factor == 0 || p.Factor > 1 && !math.IsInf(p.Factor, 1), "Factor", fmt.Sprint(p.Factor), "is not a finite number above 1")
	return c.Result()
}
