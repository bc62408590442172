package traffic

import (
	"math"
	"strings"
	"time"
)

// Multiplied is [Profile.Amplify] with a factor that scales a whole test down or up: the
// budget is multiplied as well, and if one request or more was due, one at least is left.
// A factor that would leave none is raised.
func (p Profile) Multiplied(x float64) Profile {
	return p.multiplied(p.enough(x, Profile.multiplied))
}

// Shortened makes every stage last x times as long, at the same rates, and budgets in
// proportion. Of a replay, which then goes 1/x times as fast, it plays the share x of the
// entries. One request at least is left: a factor that would leave none is raised.
// Shortened returns the factor that it used.
func (p Profile) Shortened(x float64) (Profile, float64) {
	x = p.enough(x, Profile.stretch)
	return p.stretch(x), x
}

// enough returns x, or the least factor above it, up to 1, that makes the area under the rate 1. The
// one arrival is then at the end of the area. For drawn gaps that is one arrival on average, and the
// field least makes sure that it comes.
func (p Profile) enough(x float64, apply func(Profile, float64) Profile) float64 {
	if x >= 1 || p.kind != Open || p.bursts != nil || apply(p, x).arrives() {
		return x
	}
	x = max(x, min(1/p.expected(), 1))
	// The rounding of rates or durations may still leave less than one.
	for more := 0x1p-52; x < 1 && !apply(p, x).arrives(); more *= 2 {
		x = min(x*(1+more), 1)
	}
	return x
}

// multiplied is Multiplied with a factor that leaves enough.
func (p Profile) multiplied(x float64) Profile {
	p.least = p.kind == Open && p.expected() >= 1
	p.budget = share(p.budget, x)
	return p.Amplify(x)
}

// share is the part x of a budget, at least one request. No budget stays none.
func share(budget int64, x float64) int64 {
	if budget == 0 {
		return 0
	}
	return int64(min(max(math.Round(float64(budget)*x), 1), 1<<62))
}

// stretch is Shortened with a factor that leaves enough.
func (p Profile) stretch(x float64) Profile {
	p.least = p.kind == Open && p.expected() >= 1
	p.budget, p.each = share(p.budget, x), share(p.each, x)
	switch {
	case p.replay != nil:
		p = p.Speed(1 / x).Amplify(x)
		p.longer = x
		return p
	case p.bursts != nil:
		b := *p.bursts
		b.length = max(Divide(b.length, 1/x), 1)
		p.bursts = &b
	}
	if p.heading == "" {
		p.heading = strings.Join(p.stageTexts(), ", ")
	}
	pieces := p.pieces()
	p.stages, p.length = nil, 0
	for _, s := range pieces {
		s.d = max(Divide(s.d, 1/x), 1)
		if s.wave.amplitude != 0 {
			s.wave.period = max(Divide(s.wave.period, 1/x), 1)
		}
		p = p.add(s)
	}
	p.longer = x
	return p
}

// Divide returns d/speed, rounded to the nanosecond, or the longest Duration if that is
// less.
func Divide(d time.Duration, speed float64) time.Duration {
	if speed == 1 {
		return d
	}
	if x := math.Round(float64(d) / speed); x < math.MaxInt64 {
		return time.Duration(x)
	}
	return math.MaxInt64
}
