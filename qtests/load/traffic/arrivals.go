package traffic

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/go-qtests/qtests/qtests/load/accesslog"
)

// An Arrival is one request of an open profile or a replay.
type Arrival struct {
	At    time.Duration    // the offset at which it is due
	Entry *accesslog.Entry // the log entry that it repeats, nil without a replay
}

// A Source has the arrivals of a profile. It is for one goroutine at a time.
type Source interface {
	// Next returns the next arrival, in order, or false.
	Next() (Arrival, bool)
	// Err says, after Next has returned false, why there are no more: nil if all have come.
	Err() error
	// Foreign reports whether Next calls code of the user's, which may panic, block or end its goroutine.
	Foreign() bool
}

// sound is the part of a source that cannot fail.
type sound struct{}

func (sound) Err() error    { return nil }
func (sound) Foreign() bool { return false }

// Source returns the arrivals of an open profile or a replay, whose Err is nil. gaps is the generator for
// drawn gaps, and may be nil for a profile without them.
func (p Profile) Source(gaps *rand.Rand) Source {
	var src Source
	switch {
	case p.replay != nil:
		src = &replaySource{replay: p.replay, speed: p.speedFactor(), amplify: p.factor()}
	case p.bursts != nil:
		src = &burstSource{bursts: *p.bursts, factor: p.factor()}
	default:
		src = p.rateSource(gaps)
	}
	if p.budget > 0 {
		src = &limited{src, p.budget}
	}
	return src
}

func (p Profile) rateSource(gaps *rand.Rand) Source {
	if p.gaps.random() {
		return &drawn{curve: p.curve(), gaps: p.gaps, rand: gaps, least: p.least}
	}
	return &even{curve: p.curve()}
}

// curve returns the cumulative rate of the stages, factor included.
func (p Profile) curve() *curve {
	pieces := p.pieces()
	for i := range pieces {
		s := &pieces[i]
		s.from *= p.factor()
		s.to *= p.factor()
		s.wave.amplitude *= p.factor()
	}
	return newCurve(p.unit, pieces)
}

// even is one arrival whenever the area grows by one.
type even struct {
	sound
	curve *curve
	k     int64
}

func (e *even) Next() (Arrival, bool) {
	if e.k >= e.curve.total {
		return Arrival{}, false
	}
	e.k++
	return Arrival{At: e.curve.at(float64(e.k))}, true
}

// limited ends after n arrivals.
type limited struct {
	Source
	left int64
}

func (l *limited) Next() (Arrival, bool) {
	if l.left <= 0 {
		return Arrival{}, false
	}
	l.left--
	return l.Source.Next()
}

// bursts are size arrivals at once, at 0, every, 2·every, …, before length.
type bursts struct {
	size          int
	every, length time.Duration
}

// Bursts is an open profile of size requests at once, at the start and then in the interval every, for
// as long as For says:
//
//	traffic.Bursts(500, time.Minute).For(time.Hour) // 60 bursts of 500
//
// The requests of a burst share one instant and run in the order of their numbers. A burst has at most
// 5,000,000 of them, also when it is amplified.
func Bursts(size int, every time.Duration) Profile {
	p := Profile{kind: Open, unit: time.Second, bursts: &bursts{size: size, every: every}}
	switch {
	case size <= 0:
		p.fail("Bursts: size: %d is not positive", size)
	case size > maxAtOnce:
		p.fail("Bursts: size: %d is more than %d at one instant", size, maxAtOnce)
	case every <= 0:
		p.fail("Bursts: every: %v is not positive", every)
	}
	return p
}

func (p Profile) burstsFor(d time.Duration) Profile {
	b := *p.bursts
	switch {
	case d <= 0:
		p.fail("Bursts: For: %v is not positive", d)
	case b.length > 0:
		p.fail("Bursts: For: %v: the bursts have a length already", d)
	}
	b.length = d
	p.bursts = &b
	return p
}

func (b *bursts) expected(factor float64) float64 {
	if b.every <= 0 || b.length <= 0 {
		return 0
	}
	return max(math.Round(float64(b.size)*factor), 1) * float64((b.length-1)/b.every+1)
}

type burstSource struct {
	sound
	bursts
	factor float64
	burst  int64
	inside int64
}

// each is the size of a burst.
func (b *burstSource) each() int64 { return max(int64(math.Round(float64(b.size)*b.factor)), 1) }

func (b *burstSource) Next() (Arrival, bool) {
	size := b.each()
	if b.inside == size {
		b.inside = 0
		b.burst++
	}
	if b.burst > int64((b.length-1)/b.every) {
		return Arrival{}, false
	}
	b.inside++
	return Arrival{At: time.Duration(b.burst) * b.every}, true
}
