package rollout

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// DefaultDeadline is how long nothing may become better.
const DefaultDeadline = 10 * time.Minute

// DefaultAmount is the part of the instances that may be too many, or too few.
const DefaultAmount = 0.25

// An Amount of instances: a number, or a share of those wanted.
type Amount struct {
	n     int
	share float64
	set   bool
}

// Count is n instances.
func Count(n int) Amount { return Amount{n: n, set: true} }

// Share is a share of the instances wanted: 0.25 is 25%.
func Share(share float64) Amount { return Amount{share: share, set: true} }

func (a Amount) String() string {
	if a.share != 0 {
		return fmt.Sprintf("%g%%", a.share*100)
	}
	return fmt.Sprint(a.n)
}

func (a Amount) of(wanted int, round func(float64) float64) int {
	if !a.set {
		a = Share(DefaultAmount)
	}
	return a.n + int(round(a.share*float64(wanted)))
}

func (a Amount) check(c *field.Checker, name string) {
	c.Count(name, a.n)
	c.Finite(name, a.share)
}

// Update is the rolling update of a Kubernetes Deployment.
type Update struct {
	MaxSurge       Amount        // more than wanted; default 25%, rounded up
	MaxUnavailable Amount        // fewer than wanted; default 25%, rounded down
	MinReady       time.Duration // default 0
	Deadline       time.Duration // default 10 min; longer than MinReady
}

// Begin implements [Strategy].
func (u Update) Begin(now time.Time) (Rollout, error) {
	c := field.Check("rollout: Update")
	u.MaxSurge.check(c, "MaxSurge")
	u.MaxUnavailable.check(c, "MaxUnavailable")
	c.That(u.MaxUnavailable.share <= 1, "MaxUnavailable", u.MaxUnavailable, "is over 100%%")
	none := func(a Amount) bool { return a.set && a.n == 0 && a.share == 0 }
	c.That(!none(u.MaxSurge) || !none(u.MaxUnavailable), "MaxUnavailable", u.MaxUnavailable, "is 0, as MaxSurge is: no instance could be replaced")
	c.Duration("MinReady", u.MinReady)
	c.Duration("Deadline", u.Deadline)
	u.Deadline = cmp.Or(u.Deadline, DefaultDeadline)
	c.That(u.MinReady < u.Deadline, "MinReady", u.MinReady, "is not below Deadline, %v", u.Deadline)
	return &update{cfg: u, progress: progress{deadline: u.Deadline, last: now}}, c.Result()
}

type update struct {
	cfg    Update
	wanted int // when it was asked last; 0 before
	progress
}

func (u *update) MinReady() time.Duration { return u.cfg.MinReady }

// Next implements [Rollout].
func (u *update) Next(s State) Action {
	a := Action{Old: s.Old.Instances, New: s.New.Instances, Share: alike, Reason: available(s)}
	if s.New.Instances == s.Wanted && s.New.Available >= s.Wanted && s.Old.Instances == 0 {
		a.Phase = Complete
		return a
	}
	if before := u.wanted; before != s.Wanted {
		u.wanted = s.Wanted
		if before != 0 {
			u.begun = false // what is better is another thing from here on
			a.Old, a.New = u.cfg.spread(s, before)
			return a
		}
	}
	surge, few := u.cfg.bounds(s.Wanted)
	room := min(s.Wanted+surge-s.Old.Instances-s.New.Instances, s.Wanted-s.New.Instances)
	switch {
	case s.New.Instances > s.Wanted:
		a.New = s.Wanted
	case room > 0:
		a.New += room
	default:
		a.Old = oldLeft(s, s.Wanted-few)
	}
	if (a.Old == s.Old.Instances && a.New == s.New.Instances) && u.late(s) {
		a.Phase, a.Reason = Stuck, fmt.Sprintf("%s, and nothing became better for %v", a.Reason, u.deadline)
	}
	return a
}

func available(s State) string { return fmt.Sprintf("%d of %d available", s.New.Available, s.Wanted) }

// bounds are maxSurge and maxUnavailable in instances.
func (u Update) bounds(wanted int) (surge, few int) {
	surge, few = u.MaxSurge.of(wanted, math.Ceil), u.MaxUnavailable.of(wanted, math.Floor)
	if surge == 0 && few == 0 {
		few = 1
	}
	return surge, few
}

// oldLeft is how many old instances remain when as many go as may.
func oldLeft(s State, least int) int {
	most := s.Old.Instances + s.New.Instances - least - (s.New.Instances - s.New.Available)
	if most <= 0 {
		return s.Old.Instances
	}
	sick := min(s.Old.Instances-s.Old.Available, most)
	well := max(0, s.Old.Available+s.New.Available-least)
	return max(0, s.Old.Instances-sick-well)
}

// progress notes when something became better.
type progress struct {
	deadline time.Duration
	last     time.Time
	best     int
	begun    bool
}

// late reports whether nothing has become better until the deadline.
func (p *progress) late(s State) bool {
	better := s.New.Instances + s.New.Available - s.Old.Instances
	if !p.begun || better > p.best {
		p.begun, p.best, p.last = true, better, s.Now
	}
	return s.Now.Sub(p.last) >= p.deadline
}
