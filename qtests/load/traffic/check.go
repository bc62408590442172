package traffic

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits of profiles.
const (
	// maxLevel bounds a rate per unit, a burst, and how often a log is played.
	maxLevel = 1e12
	// maxUsers is about 10 GiB of users at work.
	maxUsers = 5_000_000
	// maxAtOnce bounds how many requests arrive at one instant, in a burst or as copies of one entry
	// of a log: each of them may be under way when the last one comes.
	maxAtOnce = maxUsers
	// maxArrivals is over ten times as many as a fake clock can run in an hour.
	maxArrivals = 1e10
)

// Err returns what is wrong with the profile, or nil.
func (p Profile) Err() error {
	switch {
	case p.err != nil:
		return p.err
	case p.kind == None:
		return errors.New("load: Profile: is empty: start with Rate, Users or Replay")
	case p.kind == Replayed && p.Duration() <= 0:
		return fmt.Errorf("load: Profile: Speed: %v leaves the log no time", p.speedFactor())
	case p.kind == Open && p.Duration() == 0 && p.budget > 0:
		return errors.New("load: Profile: lasts no time: a Budget only ends it early")
	case p.Duration() == 0:
		return errors.New("load: Profile: lasts no time: add For or To")
	case p.jumped && p.stages != nil:
		return fmt.Errorf("load: Profile: Jump: %v: no stage comes after it: add For or To", p.level)
	}
	if err := p.checkFactor(); err != nil {
		return err
	}
	if p.kind == Closed {
		return p.checkUsers()
	}
	n := p.expected()
	if p.budget > 0 {
		n = min(n, float64(p.budget))
	}
	switch {
	case n > maxArrivals:
		return fmt.Errorf("load: Profile: %.3g arrivals in a run are more than %.0g: set a Budget or lower the rate", n, float64(maxArrivals))
	case p.kind == Replayed && p.factor() > maxAtOnce && p.budget == 0:
		return fmt.Errorf("load: Profile: Amplify: ×%s plays an entry more than %d times at one instant", rounded(p.factor()), maxAtOnce)
	case n < 1.5 && !p.gaps.random() && !p.arrives():
		return fmt.Errorf("load: Profile: the area under the rate is %.3g: not one arrival in %v", n, p.Duration())
	}
	return nil
}

// checkUsers wants one user at least.
func (p Profile) checkUsers() error {
	most := 0
	for _, s := range p.pieces() {
		most = max(most, roundUsers(scaledUsers(s.from, p.factor())), roundUsers(scaledUsers(s.to, p.factor())))
	}
	if most == 0 && (p.stages != nil || roundUsers(p.level) == 0) {
		return fmt.Errorf("load: Profile: not one user comes in %v", p.Duration())
	}
	return nil
}

// checkFactor checks that the levels keep their limits also when they are multiplied by the factors.
func (p Profile) checkFactor() error {
	limit, of := float64(maxLevel), "a rate"
	switch {
	case p.kind == Closed:
		limit, of = maxUsers, "the users"
	case p.kind == Replayed:
		of = "the entries"
	case p.bursts != nil:
		limit, of = maxAtOnce, "a burst"
	}
	if level := p.highest() * p.factor(); level > limit {
		return fmt.Errorf("load: Profile: Amplify: ×%s makes %s %.3g, more than %.0f", rounded(p.factor()), of, level, limit)
	}
	return nil
}

// highest returns the largest number that the factor multiplies.
func (p Profile) highest() float64 {
	switch {
	case p.replay != nil:
		return float64(len(p.replay.entries))
	case p.bursts != nil:
		return float64(p.bursts.size)
	case p.stages == nil:
		return p.level
	}
	level := 0.0
	for s := p.stages; s != nil; s = s.before {
		level = max(level, s.from, s.to, s.from+s.wave.amplitude)
	}
	return level
}

// expected returns the arrivals of an open profile or a replay without its
// budget, in floating point.
func (p Profile) expected() (n float64) {
	switch {
	case p.replay != nil:
		return max(float64(len(p.replay.entries))*p.factor(), 1)
	case p.bursts != nil:
		return p.bursts.expected(p.factor())
	}
	for s := p.stages; s != nil; s = s.before {
		n += (s.from + s.to) / 2 * (float64(s.d) / float64(p.unit))
	}
	return n * p.factor()
}

// arrives reports whether one arrival or more is due. Replays and bursts always
// have one.
func (p Profile) arrives() bool {
	return p.replay != nil || p.bursts != nil || p.curve().total > 0
}

func (p Profile) add(s piece) Profile {
	p = p.checkStages("For, To")
	switch {
	case s.d <= 0:
		p.fail("a stage of %v: want a positive duration", s.d)
		return p
	case p.length > math.MaxInt64-s.d:
		p.fail("a stage of %v: the sum of the stages overflows", s.d)
		return p
	}
	number := 1
	if p.stages != nil {
		number = p.stages.number + 1
	}
	p.stages = &stage{piece: s, before: p.stages, number: number}
	p.length += s.d
	p.jumped = false
	return p
}

func (p Profile) checkStages(name string) Profile {
	if p.kind != Open && p.kind != Closed || p.bursts != nil {
		p.fail("%s: only a profile of Rate or Users has stages", name)
	}
	return p
}

func (p Profile) checkLevel(name string, level float64) Profile {
	if !(level >= 0 && level <= maxLevel) {
		p.fail("%s: %v is not a number from 0 to 1e12", name, level)
	} else if p.kind == Closed && level > maxUsers {
		p.fail("%s: %v users are more than %d", name, level, maxUsers)
	}
	return p
}

// fail keeps the first error.
func (p *Profile) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("load: Profile: "+format, args...)
	}
}

// per returns how the unit of rates reads.
func (p Profile) per() string {
	if p.unit == time.Second {
		return "/s"
	}
	return " per " + p.unit.String()
}
