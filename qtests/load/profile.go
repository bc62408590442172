package load

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
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
	kind     kind
	level    float64 // the rate or number of users that For holds
	unit     time.Duration
	pieces   []piece
	replay   *replay
	bursts   *bursts
	gaps     Gaps
	budget   int64
	each     int64
	amplify  float64
	speed    float64
	describe []string
	err      error
}

type kind int

const (
	kindNone kind = iota
	kindOpen
	kindReplay
	kindClosed
)

// Rate is an open profile that starts at so many arrivals per second, fractions
// included. It lasts no time until For or To adds some:
//
//	load.Rate(200).For(time.Hour)
//	load.Rate(0).To(100, time.Minute).For(10*time.Minute).To(0, time.Minute)
//
// The k-th arrival, k = 1, 2, …, is at the instant at which the area under the
// rate reaches k, rounded to the nearest nanosecond. A run at 50/s for 5 s so has
// exactly 250 arrivals, the first at 20 ms and the last at 5 s.
func Rate(perSecond float64) Profile { return RatePer(perSecond, time.Second) }

// RatePer is [Rate] in arrivals per unit: RatePer(30, time.Minute). The unit
// holds for every rate that To and Jump add.
func RatePer(n float64, unit time.Duration) Profile {
	p := Profile{kind: kindOpen, level: n, unit: unit}
	if unit <= 0 {
		p.fail("RatePer: unit: %v is not positive", unit)
	}
	return p.checkLevel("Rate", n)
}

// Users is a closed profile that starts with n users, numbered from 1.
//
//	load.Users(50).For(time.Hour)
//	load.Users(0).To(100, time.Minute).For(10*time.Minute).To(0, time.Minute)
//
// While the number rises or falls, user i is there as long as it rounds to i or
// more. A user who leaves starts nothing more; a request of his that is under
// way gets the scenario's Grace.
func Users(n int) Profile {
	p := Profile{kind: kindClosed, level: float64(n), unit: time.Second}
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
	p = p.add(piece{from: mean, to: mean, d: d, wave: wave{amplitude, period}})
	return p.note("%s±%s/s, a wave of %v, for %v", number(mean), number(amplitude), period, d)
}

// For holds the present rate or number of users for d, which is positive.
func (p Profile) For(d time.Duration) Profile {
	if p.bursts != nil {
		return p.burstsFor(d)
	}
	return p.add(piece{from: p.level, to: p.level, d: d}).note("%s for %v", p.amount(p.level), d)
}

// To changes the rate or number of users linearly to level within d, which is
// positive; see Jump for a change at once.
func (p Profile) To(level float64, d time.Duration) Profile {
	p = p.checkLevel("To", level)
	from := p.level
	p = p.add(piece{from: from, to: level, d: d})
	p.level = level
	return p.note("%s to %s in %v", p.amount(from), p.amount(level), d)
}

// Jump changes the rate or number of users to level at once.
func (p Profile) Jump(level float64) Profile {
	p = p.checkLevel("Jump", level)
	p.level = level
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
	if p.kind != kindOpen || p.bursts != nil {
		p.fail("Gaps: %s: only a profile with a rate has gaps to draw", g.name)
	}
	p.gaps = g
	return p.note("%s gaps", g.name)
}

// Budget ends the run after n requests in all, shared by all users.
func (p Profile) Budget(n int) Profile {
	if n <= 0 {
		p.fail("Budget: %d is not positive", n)
	}
	p.budget = int64(n)
	return p.note("at most %s requests", grouped(int64(n)))
}

// Each gives every user of a closed profile n requests.
func (p Profile) Each(n int) Profile {
	if n <= 0 {
		p.fail("Each: %d is not positive", n)
	}
	if p.kind != kindClosed {
		p.fail("Each: %d: only users have a budget each", n)
	}
	p.each = int64(n)
	return p.note("%s requests each", grouped(int64(n)))
}

// Amplify multiplies every rate, burst and number of users by factor, and plays each
// entry of a replay that often (a fraction spreads evenly over the log). It is
// how -qtests.scale acts under a fake clock. No instant and no duration changes.
func (p Profile) Amplify(factor float64) Profile {
	if !(factor > 0) || math.IsInf(factor, 0) {
		p.fail("Amplify: %v is not a finite number > 0", factor)
		return p
	}
	p.amplify = p.factor() * factor
	if factor != 1 {
		p = p.note("×%s", number(factor))
	}
	return p
}

func (p Profile) factor() float64 {
	if p.amplify == 0 {
		return 1
	}
	return p.amplify
}

// Err returns what is wrong with the profile, or nil.
func (p Profile) Err() error {
	if p.err != nil {
		return p.err
	}
	switch {
	case p.kind == kindNone:
		return errors.New("load: Profile: is empty: start with Rate, Users or Replay")
	case p.kind != kindReplay && p.Duration() == 0 && p.budget == 0 && p.each == 0:
		return errors.New("load: Profile: lasts no time: add For or To")
	case p.kind == kindOpen && p.Duration() == 0:
		return errors.New("load: Profile: lasts no time: a Budget only ends it early")
	}
	if p.kind == kindOpen {
		if n := p.expected(); n > maxArrivals {
			return fmt.Errorf("load: Profile: %.3g arrivals in a run are more than %.0g: set a Budget or lower the rate", n, float64(maxArrivals))
		} else if n < 1 && p.budget == 0 && !p.gaps.random() {
			return fmt.Errorf("load: Profile: the area under the rate is %.3g: not one arrival in %v", n, p.Duration())
		}
	}
	return nil
}

// maxArrivals is over ten times of what a fake clock can run in an hour.
const maxArrivals = 1e10

// expected returns the arrivals of an open profile, in floating point.
func (p Profile) expected() (n float64) {
	if p.bursts != nil {
		return p.bursts.expected() * p.factor()
	}
	for _, s := range p.pieces {
		n += (s.from + s.to) / 2 * (float64(s.d) / float64(p.unit))
	}
	n *= p.factor()
	if p.budget > 0 {
		n = min(n, float64(p.budget))
	}
	return n
}

// defaultBudgetTime bounds a closed profile that has only a budget.
const defaultBudgetTime = 24 * time.Hour

// Duration returns how long the profile lasts. A profile of users with a budget
// and no time lasts 24 hours or until the budget is spent.
func (p Profile) Duration() time.Duration {
	switch {
	case p.replay != nil:
		return p.replay.duration(p.speedFactor())
	case p.bursts != nil:
		return p.bursts.length
	}
	var d time.Duration
	for _, s := range p.pieces {
		d += s.d
	}
	if d == 0 && p.kind == kindClosed && p.budget+p.each > 0 {
		return defaultBudgetTime
	}
	return d
}

// String describes the profile in a line: "200/s for 1h0m0s".
func (p Profile) String() string {
	if len(p.describe) == 0 {
		return "empty"
	}
	return strings.Join(p.describe, ", ")
}

// Arrivals calls yield with the offset of every arrival of an open profile or a
// replay, in order, until yield returns false. gaps gives the generator for
// drawn gaps and may be nil for a profile without any. Profiles of users have
// no arrivals that could be known beforehand; Arrivals then returns an error.
func (p Profile) Arrivals(gaps *rand.Rand, yield func(time.Duration) bool) error {
	if err := p.Err(); err != nil {
		return err
	}
	if p.kind == kindClosed {
		return errors.New("load: Profile: users arrive when they have been answered; only Rate and Replay have a schedule")
	}
	src := p.source(gaps)
	for a, ok := src.next(); ok && yield(a.at); {
		a, ok = src.next()
	}
	return nil
}

func (p Profile) add(s piece) Profile {
	switch {
	case p.kind != kindOpen && p.kind != kindClosed || p.bursts != nil:
		p.fail("For, To: only a profile of Rate or Users has stages")
	case s.d <= 0:
		p.fail("a stage of %v: want a positive duration", s.d)
	case p.Duration() > math.MaxInt64-s.d:
		p.fail("a stage of %v: the sum of the stages overflows", s.d)
	}
	// A full copy: two profiles may continue from one prefix.
	p.pieces = append(p.pieces[:len(p.pieces):len(p.pieces)], s)
	return p
}

func (p Profile) checkLevel(name string, level float64) Profile {
	if !(level >= 0) || math.IsInf(level, 1) || level > 1e12 {
		p.fail("%s: %v is not a number from 0 to 1e12", name, level)
	} else if p.kind == kindClosed && level > maxUsers {
		p.fail("%s: %v users are more than %d", name, level, maxUsers)
	}
	return p
}

// maxUsers is about 10 GiB of users at work.
const maxUsers = 5_000_000

// fail keeps the first error.
func (p *Profile) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("load: Profile: "+format, args...)
	}
}

func (p Profile) note(format string, args ...any) Profile {
	p.describe = append(p.describe[:len(p.describe):len(p.describe)], fmt.Sprintf(format, args...))
	return p
}

func (p Profile) amount(level float64) string {
	if p.kind == kindClosed {
		return number(level) + " users"
	}
	if p.unit == time.Second {
		return number(level) + "/s"
	}
	return number(level) + " per " + p.unit.String()
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
