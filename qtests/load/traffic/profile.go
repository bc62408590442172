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
//   - closed, from [Users]: a number of users. Each waits for an answer before the next
//     request.
//
// A wrong parameter is kept until the scenario is run, which reports it by [Profile.Err].
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
	least   bool // one arrival comes even if the drawn gaps leave none
	budget  int64
	each    int64
	amplify float64
	speed   float64
	longer  float64 // the factor by which stretch has changed the length
	heading string  // describes the profile where its stages do not any more
	err     error
}

// A stage is a piece of a profile, with all pieces before it. It never changes: profiles that begin
// with the same pieces share them, and a further stage costs the same however many there are.
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

// Rate is an open profile that starts at a number of arrivals per second, which may be a fraction. It
// lasts no time until For or To adds some:
//
//	traffic.Rate(200).For(time.Hour)
//	traffic.Rate(0).To(100, time.Minute).For(10*time.Minute).To(0, time.Minute)
//
// Arrival k, k = 1, 2, …, is due at the instant at which the area under the rate reaches k, rounded to
// the nearest nanosecond, however long the stages are and whatever shape they have. An instant halfway
// between two nanoseconds is rounded up. A run at 50/s for 5 s so has exactly 250 arrivals, the first
// at 20 ms and the last at 5 s.
func Rate(perSecond float64) Profile { return RatePer(perSecond, time.Second) }

// RatePer is [Rate] in arrivals per unit: RatePer(30, time.Minute). The rates of To and Jump then have
// the same unit.
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
// There has to be one user at some time. While the number rises or falls, user i is there as long as the number, rounded, is i or more. A
// user who leaves starts nothing more. A request of the user that is under way gets the Grace of the
// scenario.
func Users(n int) Profile {
	p := Profile{kind: Closed, level: float64(n), unit: time.Second}
	return p.checkLevel("Users", float64(n))
}

// Sine is an open profile with the rate mean + amplitude·sin(2πt/period) per second. It lasts for d.
// amplitude is at most mean.
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

// To changes the rate or number of users linearly to level within d, which is positive. Jump changes
// it at once.
func (p Profile) To(level float64, d time.Duration) Profile {
	p = p.checkLevel("To", level).add(piece{from: p.level, to: level, d: d})
	p.level = level
	return p
}

// Jump changes the rate or number of users to level at once. A stage has to come after it.
func (p Profile) Jump(level float64) Profile {
	p = p.checkStages("Jump").checkLevel("Jump", level)
	p.level, p.jumped = level, true
	return p
}

// Poisson makes the arrivals of an open profile a Poisson process of its rate:
// the gaps are exponential, drawn from the seed.
func (p Profile) Poisson() Profile { return p.Gaps(ExponentialGaps()) }

// Gaps spaces the arrivals of an open profile by a distribution instead of evenly. The rate stays as it
// is: arrival k is due where the area under the rate reaches the sum of k gaps.
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

// Budget bounds a profile of any kind to n requests in all, which users share. The run ends with the
// last of them, or with the profile if that is sooner. It does not wait for users who think or have yet
// to come, but what is under way is finished. Without For or To a profile of users lasts at most 24
// hours. A scale multiplies the budget, too, and leaves at least one request.
func (p Profile) Budget(n int) Profile {
	if n <= 0 {
		p.fail("Budget: %d is not positive", n)
	}
	p.budget = int64(n)
	return p
}

// Each gives every user of a closed profile n requests. A user who has made them leaves, and the run
// ends early when all have left. A user who leaves and comes back is a new user. Under a fake clock a
// scale leaves n as it is, because it multiplies the users.
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

// Amplify multiplies every rate, burst and number of users by factor. It plays each entry of a replay
// that often, at most 5,000,000 times without a Budget; a fraction is spread evenly over the log. No instant, no duration and no budget changes.
// Several factors multiply. The product has to keep the limits of the kind of profile.
// -qtests.scale does this under a fake clock.
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

// Duration returns how long the profile lasts at most. Users with a budget and without a time have 24
// hours, after which the run ends if the budget is not used up.
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

// Arrivals calls yield with the offset of every arrival of an open profile or a replay, in order, until
// yield returns false. gaps is the generator for drawn gaps, and may be nil for a profile without them.
// Arrivals returns an error for a profile of users, whose arrivals are not known beforehand, and if a
// [GapsFunc] panics or lets no time pass.
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

// LevelAt is the rate or number of users at an offset, without waves and bursts. After the end it is zero.
func (p Profile) LevelAt(offset time.Duration) float64 {
	for _, s := range p.pieces() {
		if offset < s.d {
			return p.factor() * (s.from + (s.to-s.from)*float64(offset)/float64(s.d))
		}
		offset -= s.d
	}
	return 0
}
