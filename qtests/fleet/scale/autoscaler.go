package scale

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// An Autoscaler is an HPA that remembers what it wanted and did. It is a [Scaler].
type Autoscaler struct {
	hpa  HPA
	recs []recommendation
	up   []change
	down []change
}

type recommendation struct {
	at       time.Time
	replicas int
}

// A change of the number of replicas, by.
type change struct {
	at time.Time
	by int
}

// New returns a Scaler of an HPA, or an error that names what is wrong with it.
func New(h HPA) (*Autoscaler, error) {
	h, err := h.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Autoscaler{hpa: h}, nil
}

// HPA returns the HPA with its defaults.
func (a *Autoscaler) HPA() HPA { return a.hpa }

// Every is the period of the controller.
func (a *Autoscaler) Every() time.Duration { return a.hpa.Period }

// Decide implements [Scaler].
func (a *Autoscaler) Decide(s Status) Decision {
	h := a.hpa
	if len(a.recs) == 0 {
		a.recs = append(a.recs, recommendation{s.Now, s.Replicas})
	}
	d := Decision{Replicas: s.Replicas, Desired: s.Replicas}
	switch {
	case s.Replicas == 0 && h.Min != 0:
		d.Reason = "turned off by 0 replicas"
		return d
	case s.Replicas > h.Max:
		d.Replicas, d.Desired, d.Reason = h.Max, h.Max, "above Max"
	case s.Replicas < h.Min:
		d.Replicas, d.Desired, d.Reason = h.Min, h.Min, "below Min"
	default:
		d = a.measured(s)
	}
	a.remember(s.Now, d.Replicas-s.Replicas)
	return d
}

// measured is the decision by metrics and behaviour.
func (a *Autoscaler) measured(s Status) Decision {
	d, ok := a.hpa.desired(s)
	if !ok {
		return d
	}
	stable := a.stabilize(s.Now, s.Replicas, d.Desired)
	if stable != d.Desired {
		d.Reason += ", stabilized"
	}
	d.Replicas = a.limit(s.Now, s.Replicas, stable)
	if d.Replicas != stable {
		d.Reason += fmt.Sprintf(", limited from %d", stable)
	}
	return d
}

// desired is the largest number that a metric asks for. It is false if nothing may change.
func (h HPA) desired(s Status) (Decision, bool) {
	d := Decision{Replicas: s.Replicas, Desired: 0}
	var errs []error
	for _, m := range h.Metrics {
		ask := h.perPod
		if m.Kind.outside() {
			ask = h.outside
		}
		n, ratio, text, err := ask(m, s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.Ratio = max(d.Ratio, ratio)
		if d.Reason == "" || n > d.Desired {
			d.Desired, d.Reason = n, text
		}
	}
	d.Err = errors.Join(errs...)
	if len(errs) == len(h.Metrics) || len(errs) > 0 && d.Desired < s.Replicas {
		d.Desired, d.Reason = s.Replicas, "a metric cannot be had"
		return d, false
	}
	return d, true
}

// stabilize keeps the number between what was wanted within the windows.
func (a *Autoscaler) stabilize(now time.Time, current, desired int) int {
	up, down := desired, desired
	upFrom, downFrom := now.Add(-a.hpa.Up.Window), now.Add(-a.hpa.Down.Window)
	for _, r := range a.recs {
		if r.at.After(upFrom) {
			up = min(up, r.replicas)
		}
		if r.at.After(downFrom) {
			down = max(down, r.replicas)
		}
	}
	oldest := now.Add(-max(a.hpa.Up.Window, a.hpa.Down.Window))
	a.recs = slices.DeleteFunc(a.recs, func(r recommendation) bool { return !r.at.After(oldest) })
	a.recs = append(a.recs, recommendation{now, desired})
	return min(max(current, up), down)
}

// limit keeps the change within the policies and the bounds.
func (a *Autoscaler) limit(now time.Time, current, desired int) int {
	switch {
	case desired > current:
		return min(desired, a.hpa.Max, max(current, a.upLimit(now, current)))
	case desired < current:
		return max(desired, a.hpa.Min, min(current, a.downLimit(now, current)))
	}
	return min(max(desired, a.hpa.Min), a.hpa.Max)
}

// start is how many replicas there were when the period began.
func (a *Autoscaler) start(now time.Time, current int, period time.Duration) int {
	from := now.Add(-period)
	return current - sumAfter(a.up, from) + sumAfter(a.down, from)
}

func sumAfter(changes []change, from time.Time) (n int) {
	for _, c := range changes {
		if c.at.After(from) {
			n += c.by
		}
	}
	return n
}

func (a *Autoscaler) upLimit(now time.Time, current int) int {
	most, least := math.MinInt, math.MaxInt
	for _, p := range a.hpa.Up.Policies {
		n := p.above(a.start(now, current, p.Period))
		most, least = max(most, n), min(least, n)
	}
	return a.hpa.Up.pick(current, most, least)
}

func (a *Autoscaler) downLimit(now time.Time, current int) int {
	most, least := math.MaxInt, math.MinInt
	for _, p := range a.hpa.Down.Policies {
		n := p.below(a.start(now, current, p.Period))
		most, least = min(most, n), max(least, n)
	}
	return a.hpa.Down.pick(current, most, least)
}

// above is the largest number that the policy allows where its period began with n replicas.
func (p Policy) above(n int) int {
	if p.Pods > 0 {
		return n + p.Pods
	}
	return int(math.Ceil(float64(n) * (1 + float64(p.Percent)/100)))
}

// below is the smallest number that the policy allows where its period began with n replicas.
func (p Policy) below(n int) int {
	if p.Pods > 0 {
		return n - p.Pods
	}
	return int(float64(n) * (1 - float64(p.Percent)/100))
}

func (r Rules) pick(current, most, least int) int {
	switch r.Select {
	case SelectNone:
		return current
	case SelectLeast:
		return least
	}
	return most
}

// remember keeps a change for as long as a policy looks back.
func (a *Autoscaler) remember(now time.Time, by int) {
	from := now.Add(-a.longest())
	if by > 0 {
		a.up = append(keepAfter(a.up, from), change{now, by})
	} else if by < 0 {
		a.down = append(keepAfter(a.down, from), change{now, -by})
	}
}

// longest is how far a policy looks back. Each direction counts the changes of both.
func (a *Autoscaler) longest() (d time.Duration) {
	for _, rules := range [...]*Rules{&a.hpa.Up, &a.hpa.Down} {
		for _, p := range rules.Policies {
			d = max(d, p.Period)
		}
	}
	return d
}

func keepAfter(changes []change, from time.Time) []change {
	return slices.DeleteFunc(changes, func(c change) bool { return !c.at.After(from) })
}
