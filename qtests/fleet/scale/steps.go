package scale

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Defaults of [Steps].
const (
	DefaultStepPeriod   = time.Minute
	DefaultStepCooldown = 5 * time.Minute
)

// Steps describes step scaling as cloud autoscalers have it: a metric lies in one of several ranges, and
// each range has a change.
type Steps struct {
	Min, Max int // Min is 1 by default
	// Metric is a value of Status.Values.
	Metric string
	// Steps must not overlap. Between them nothing changes.
	Steps []Step
	// Every is how often the metric is read: 1 min. After Periods readings in a row in ranges that change the
	// same way (default 1), the last one acts.
	Every   time.Duration
	Periods int
	// Cooldown is how long nothing changes after a change: 5 min; NoCooldown makes it none.
	Cooldown   time.Duration
	NoCooldown bool
}

// A Step acts when From <= value < To. One of By, Percent and Exactly is not 0.
type Step struct {
	From, To float64 // To may be math.Inf(1), and From math.Inf(-1)
	By       int     // replicas, below 0 to remove
	// Percent of the present replicas, below 0 to remove. What lies between 0 and 1 replica is 1; more is
	// cut to a whole number (Amazon EC2 Auto Scaling).
	Percent int
	Exactly int
}

type steps struct {
	cfg     Steps
	sign    int
	streak  int
	changed time.Time
	moved   bool
}

// NewSteps returns a Scaler by steps, or an error that names what is wrong.
func NewSteps(s Steps) (Scaler, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	s.Min, s.Every, s.Periods = cmp.Or(s.Min, 1), cmp.Or(s.Every, DefaultStepPeriod), cmp.Or(s.Periods, 1)
	if !s.NoCooldown {
		s.Cooldown = cmp.Or(s.Cooldown, DefaultStepCooldown)
	}
	return &steps{cfg: s}, nil
}

func (s Steps) check() error {
	c := field.Check("scale: Steps")
	c.Count("Min", s.Min)
	c.That(s.Max >= max(1, s.Min), "Max", s.Max, "is below Min, or below 1")
	c.That(s.Metric != "", "Metric", `""`, "is no name")
	c.That(len(s.Steps) > 0, "Steps", "[]", "is empty")
	c.Duration("Every", s.Every)
	c.Count("Periods", s.Periods)
	c.Duration("Cooldown", s.Cooldown)
	c.That(s.Cooldown == 0 || !s.NoCooldown, "Cooldown", s.Cooldown, "contradicts NoCooldown")
	for i, x := range s.Steps {
		x.check(c, fmt.Sprintf("Steps[%d]", i))
		for j, y := range s.Steps[:i] {
			c.That(x.From >= y.To || y.From >= x.To, fmt.Sprintf("Steps[%d]", i), x, "overlaps Steps[%d]", j)
		}
	}
	return c.Result()
}

func (x Step) check(c *field.Checker, name string) {
	kinds := 0
	for _, n := range []int{x.By, x.Percent, x.Exactly} {
		if n != 0 {
			kinds++
		}
	}
	c.That(kinds == 1, name, x, "has to have one of By, Percent and Exactly")
	c.That(x.From < x.To, name, x, "has to begin before it ends")
	c.Count(name+".Exactly", x.Exactly)
}

// Every implements [Scaler].
func (p *steps) Every() time.Duration { return p.cfg.Every }

// Decide implements [Scaler].
func (p *steps) Decide(s Status) Decision {
	d := Decision{Replicas: s.Replicas, Desired: s.Replicas}
	if s.Replicas < p.cfg.Min || s.Replicas > p.cfg.Max {
		d.Replicas = min(max(s.Replicas, p.cfg.Min), p.cfg.Max)
		d.Desired, d.Reason = d.Replicas, "outside Min and Max"
		return d
	}
	value, ok := s.Values[p.cfg.Metric]
	if !ok {
		d.Err, d.Reason = fmt.Errorf("scale: no value of %s", p.cfg.Metric), "the metric cannot be had"
		p.streak = 0
		return d
	}
	d.Desired, d.Reason = p.cfg.desired(value, s.Replicas)
	p.act(&d, s)
	return d
}

// desired is what the step of a value asks for: no change where no step has the value.
func (s Steps) desired(value float64, replicas int) (n int, reason string) {
	n = replicas
	for _, x := range s.Steps {
		if x.From <= value && value < x.To {
			n, reason = x.apply(replicas), fmt.Sprintf("%s %g", s.Metric, value)
		}
	}
	return n, reason
}

// act counts the readings that want a change the same way, and changes after enough of them and outside of the cooldown.
func (p *steps) act(d *Decision, s Status) {
	sign := sgn(d.Desired - s.Replicas)
	if sign != p.sign {
		p.sign, p.streak = sign, 0
	}
	p.streak++
	switch {
	case sign == 0:
	case p.moved && s.Now.Sub(p.changed) < p.cfg.Cooldown:
		d.Reason += ", cooling down"
	case p.streak >= p.cfg.Periods:
		d.Replicas = min(max(d.Desired, p.cfg.Min), p.cfg.Max)
		if d.Replicas != s.Replicas {
			p.changed, p.moved, p.streak = s.Now, true, 0
		}
	}
}

func (x Step) apply(n int) int {
	switch {
	case x.Exactly > 0:
		return x.Exactly
	case x.By != 0:
		return n + x.By
	}
	by := float64(n) * float64(x.Percent) / 100
	if math.Abs(by) < 1 {
		return n + sgn(x.Percent)
	}
	return n + int(by)
}

func sgn(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}
