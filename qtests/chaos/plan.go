package chaos

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/tb"
)

// DefaultName is the name of a plan without one.
const DefaultName = "faults"

// Config says what a plan may do.
type Config struct {
	// Name is in the file that repeats a run, and in the seed of the draws. "" means DefaultName.
	Name string
	// Within is for how long faults begin, counted from NewT on. It must be positive.
	Within time.Duration
	// Faults are what may happen. At least one.
	Faults []Fault
}

// A Plan is the faults of one run. Its methods are safe for concurrent use.
type Plan struct {
	q     *qtests.T
	name  string
	drawn []inputs.Fault
	stop  func() error
}

// NewT draws a plan from the seed of the test, and begins it. In a run that is repeated or cut
// down, the faults are those of its file. They end with the test, or with Stop. When the test
// fails, they are in its log.
func NewT(q *qtests.T, cfg Config) *Plan {
	q.Helper()
	faults, err := cfg.checked()
	if err != nil {
		tb.Fatalf(q, "chaos: %v", err)
	}
	p := &Plan{q: q, name: cfg.Name}
	if p.name == "" {
		p.name = DefaultName
	}
	var own []inputs.Fault
	specs := map[string][]Fault{} // by name and, from 1, by number
	for _, f := range faults {
		name := f.Event.Name
		own = append(own, f.draw(q.Stream("chaos "+p.name).Sub(name), len(specs[name])+1)...)
		for range f.Most {
			specs[name] = append(specs[name], f)
		}
	}
	var set *inputs.Set
	if here := tenancy.Here(); here != nil {
		set = here.Inputs
	}
	p.drawn = set.Plan(p.name, bubble.Age(q.Clock()), own)
	var events []event.Event
	for _, d := range p.drawn {
		spec := specs[d.Name]
		if d.N > len(spec) {
			q.Logf("chaos: the file has the fault %q, number %d, which is not in the plan %s", d.Name, d.N, p.name)
			continue
		}
		events = append(events, spec[d.N-1].event(d))
	}
	if p.stop, err = event.Schedule(q.Context(), q.Clock(), q.EventLog(), events...); err != nil {
		tb.Fatalf(q, "chaos: %v", err)
	}
	q.Cleanup(p.end)
	return p
}

func (c *Config) checked() ([]Fault, error) {
	switch {
	case c.Within <= 0:
		return nil, fmt.Errorf("Config: Within: %v is not positive", c.Within)
	case len(c.Faults) == 0:
		return nil, fmt.Errorf("Config: Faults: there are none")
	}
	all := make([]Fault, len(c.Faults))
	for i, f := range c.Faults {
		var err error
		if all[i], err = f.withDefaults(c.Within); err != nil {
			return nil, fmt.Errorf("Config: Faults: %w", err)
		}
	}
	return all, nil
}

// event is the fault as it was drawn.
func (f Fault) event(d inputs.Fault) event.Event {
	e := f.Event.At(d.At).For(d.For)
	if d.Before == 0 || f.Before == nil {
		return e
	}
	return f.Before.armed(e, d.Before)
}

// Stop ends what has begun, and begins nothing more: from here on the system has to get well.
// It returns when that is done.
func (p *Plan) Stop() {
	if err := p.stop(); err != nil {
		p.q.Errorf("chaos: %v", err)
	}
}

// end is the cleanup.
func (p *Plan) end() {
	p.Stop()
	if p.q.Failed() {
		p.q.Logf("chaos: %v", p)
	}
}

// String lists the faults of this run.
func (p *Plan) String() string {
	if len(p.drawn) == 0 {
		return "plan " + p.name + ": no faults"
	}
	lines := []string{"plan " + p.name + ":"}
	for _, d := range p.drawn {
		lines = append(lines, "  "+d.String())
	}
	return strings.Join(lines, "\n")
}
