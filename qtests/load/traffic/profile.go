package traffic

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// A Profile says who arrives when. It is a value: every method returns a
// changed copy. There are three kinds:
//
//   - open, from [Rate], [RatePer], [Sine] and [Bursts]: requests arrive at a rate,
//     whether or not earlier ones have been answered;
//   - replay, from [Replay]: requests arrive at the instants of a recorded log;
//   - closed, from [Users]: so many users, each of whom waits for an answer
//     before asking again.
//
// Parameters without meaning are kept until the scenario is run, which reports
// them by [Profile.Err].
type Profile struct {
	kind    Kind
	level   float64 // the rate or number of users that For holds
	jumped  bool    // Jump has set the level, and no stage has held it yet
	unit    time.Duration
	stages  *stage        // the last one; nil without any
	length  time.Duration // of all stages
	replay  *replay
	bursts  *bursts
	gaps    Gaps
	least   bool // one arrival comes even where the gaps drawn leave none
	budget  int64
	each    int64
	amplify float64
	speed   float64
	longer  float64 // how much stretch has made of the length
	heading string  // describes what no longer can be told from the stages
	err     error
}

// A stage is a piece of a profile and all before it. It never changes, so that
// profiles which continue from one prefix share it, and a further stage costs
// the same however many there are.
type stage struct {
	piece
	before *stage
	number int // from 1
}

// pieces returns the stages in their order.
func (p Profile) pieces() []piece {
	if p.stages == nil {
		return nil
	}
	out := make([]piece, p.stages.number)
	for s := p.stages; s != nil; s = s.before {
		out[s.number-1] = s.piece
	}
	return out
}

// Rate is an open profile that starts at so many arrivals per second, fractions
// included. It lasts no time until For or To adds some:
//
//	traffic.Rate(200).For(time.Hour)
//	traffic.Rate(0).To(100, time.Minute).For(10*time.Minute).To(0, time.Minute)
//
// The k-th arrival, k = 1, 2, …, is at the instant at which the area under the
// rate reaches k, rounded to the nearest nanosecond, however long the stages and
// whatever their shape; one halfway between two is due at the later. A run at 50/s
// for 5 s so has exactly 250 arrivals, the first at 20 ms and the last at 5 s.
func Rate(perSecond float64) Profile { return RatePer(perSecond, time.Second) }

// RatePer is [Rate] in arrivals per unit: RatePer(30, time.Minute). The unit
// holds for every rate that To and Jump add.
func RatePer(n float64, unit time.Duration) Profile {
	p := Profile{kind: Open, level: n, unit: unit}
	if unit <= 0 {
		p.fail("RatePer: unit: %v is not positive", unit)
	}
	return p.checkLevel("Rate", n)
}

// Users is a closed profile that starts with n users, numbered from 1.
//
//	traffic.Users(50).For(time.Hour)
//	traffic.Users(0).To(100, time.Minute).For(10*time.Minute).To(0, time.Minute)
//
// While the number rises or falls, user i is there as long as it rounds to i or
// more. A user who leaves starts nothing more; a request of his that is under
// way gets the scenario's Grace.
func Users(n int) Profile {
	p := Profile{kind: Closed, level: float64(n), unit: time.Second}
	return p.checkLevel("Users", float64(n))
}

// Sine is an open profile whose rate is mean + amplitude·sin(2πt/period) per
// second, and that lasts for d. amplitude is at most mean.
func Sine(mean, amplitude float64, period, d time.Duration) Profile {
	p := Rate(mean).checkLevel("Sine: amplitude", amplitude)
	switch {
	case amplitude > mean:
		p.fail("Sine: amplitude: %v is over the mean %v", amplitude, mean)
	case period <= 0:
		p.fail("Sine: period: %v is not positive", period)
	}
	return p.add(piece{from: mean, to: mean, d: d, wave: wave{amplitude, period}})
}

// For holds the present rate or number of users for d, which is positive.
func (p Profile) For(d time.Duration) Profile {
	if p.bursts != nil {
		return p.burstsFor(d)
	}
	return p.add(piece{from: p.level, to: p.level, d: d})
}

// To changes the rate or number of users linearly to level within d, which is
// positive; see Jump for a change at once.
func (p Profile) To(level float64, d time.Duration) Profile {
	p = p.checkLevel("To", level).add(piece{from: p.level, to: level, d: d})
	p.level = level
	return p
}

// Jump changes the rate or number of users to level at once. A stage has to
// come after it, without which it would have no effect.
func (p Profile) Jump(level float64) Profile {
	p = p.checkStages("Jump").checkLevel("Jump", level)
	p.level, p.jumped = level, true
	return p
}

// Poisson makes the arrivals of an open profile a Poisson process of its rate:
// the gaps are exponential, drawn from the seed.
func (p Profile) Poisson() Profile { return p.Gaps(ExponentialGaps()) }

// Gaps spaces the arrivals of an open profile by a distribution instead of
// evenly. The rate, whatever its shape, stays: arrival k is where the area under
// the rate reaches the sum of k gaps.
func (p Profile) Gaps(g Gaps) Profile {
	if g.err != nil {
		p.fail("Gaps: %w", g.err)
	}
	if p.kind != Open || p.bursts != nil {
		p.fail("Gaps: %s: only a profile with a rate has gaps to draw", g.name)
	}
	p.gaps = g
	return p
}

// Budget bounds a profile of any kind to n requests in all, which users share.
// The run ends with the last of them, or when the profile ends, if that is
// sooner: users who think or have yet to come are not waited for, and what is under
// way is finished. Without For or To a profile of users lasts at most 24 hours. A
// scale multiplies the budget, too, and leaves at least one request.
func (p Profile) Budget(n int) Profile {
	if n <= 0 {
		p.fail("Budget: %d is not positive", n)
	}
	p.budget = int64(n)
	return p
}

// Each gives every user of a closed profile n requests; one whose number comes
// again after it has left is a new user. Who has made them leaves, and the run ends
// early when all have. Under a fake clock a scale leaves
// n as it is, because it multiplies the users.
func (p Profile) Each(n int) Profile {
	if n <= 0 {
		p.fail("Each: %d is not positive", n)
	}
	if p.kind != Closed {
		p.fail("Each: %d: only users have a budget each", n)
	}
	p.each = int64(n)
	return p
}

// Amplify multiplies every rate, burst and number of users by factor, and plays each
// entry of a replay that often (a fraction spreads evenly over the log). It is
// how -qtests.scale acts under a fake clock. No instant and no duration changes,
// and no budget. Factors multiply; what they make of the profile has to keep the
// limits of its kind.
func (p Profile) Amplify(factor float64) Profile {
	product := p.factor() * factor
	switch {
	case !(factor > 0) || math.IsInf(factor, 0):
		p.fail("Amplify: %v is not a finite number > 0", factor)
	case !(product > 0) || math.IsInf(product, 0):
		p.fail("Amplify: %v makes the product of the factors %v", factor, product)
	default:
		p.amplify = product
	}
	return p
}

func (p Profile) factor() float64 {
	if p.amplify == 0 {
		return 1
	}
	return p.amplify
}

// defaultBudgetTime bounds a closed profile that has only a budget.
const defaultBudgetTime = 24 * time.Hour

// Kind returns the kind of the profile.
func (p Profile) Kind() Kind { return p.kind }

// Limits returns the numbers of requests that Budget and Each allow, or 0 where there is
// no limit.
func (p Profile) Limits() (budget, each int64) { return p.budget, p.each }

// Duration returns how long the profile lasts at most. For users with a budget
// and no time it is 24 hours, at which the run ends if the budget is not spent
// by then.
func (p Profile) Duration() time.Duration {
	switch {
	case p.replay != nil:
		return p.replay.duration(p.speedFactor())
	case p.bursts != nil:
		return p.bursts.length
	case p.length == 0 && p.kind == Closed && p.budget+p.each > 0:
		return defaultBudgetTime
	}
	return p.length
}

// Arrivals calls yield with the offset of every arrival of an open profile or a
// replay, in order, until yield returns false. gaps gives the generator for
// drawn gaps and may be nil for a profile without any. Profiles of users have
// no arrivals that could be known beforehand; Arrivals then returns an error, as
// it does when a [GapsFunc] panics or makes no time pass.
func (p Profile) Arrivals(gaps *rand.Rand, yield func(time.Duration) bool) error {
	if err := p.Err(); err != nil {
		return err
	}
	if p.kind == Closed {
		return errors.New("load: Profile: users arrive when they have been answered; only Rate and Replay have a schedule")
	}
	src := p.Source(gaps)
	for {
		a, ok := src.Next()
		if !ok {
			return src.Err()
		}
		if !yield(a.At) {
			return nil
		}
	}
}

// LevelAt is the rate or number of users at an offset.
func (p Profile) LevelAt(offset time.Duration) float64 {
	for _, s := range p.pieces() {
		if offset < s.d {
			return p.factor() * (s.from + (s.to-s.from)*float64(offset)/float64(s.d))
		}
		offset -= s.d
	}
	return 0
}
