package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// An arrival is one request of an open model or a replay: the offset at which
// it is due and, in a replay, the log entry it repeats.
type arrival struct {
	at    time.Duration
	entry *Entry
}

// arrivals hands out arrivals in order.
type arrivals interface{ next() (arrival, bool) }

// source returns the arrivals of an open or replay profile without error.
func (p Profile) source(gaps *rand.Rand) arrivals {
	var src arrivals
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

func (p Profile) rateSource(gaps *rand.Rand) arrivals {
	pieces := make([]piece, len(p.pieces))
	for i, s := range p.pieces {
		s.from *= p.factor()
		s.to *= p.factor()
		s.wave.amplitude *= p.factor()
		pieces[i] = s
	}
	c := newCurve(p.unit, pieces)
	if p.gaps.random() {
		return &drawn{curve: c, gaps: p.gaps, rand: gaps}
	}
	return &even{curve: c}
}

// even is one arrival whenever the area grows by one.
type even struct {
	curve *curve
	k     int64
}

func (e *even) next() (arrival, bool) {
	if e.k >= e.curve.total {
		return arrival{}, false
	}
	e.k++
	return arrival{at: e.curve.at(float64(e.k))}, true
}

// drawn is one arrival whenever the area has grown by a gap.
type drawn struct {
	curve *curve
	gaps  Gaps
	rand  *rand.Rand
	k     float64
}

func (d *drawn) next() (arrival, bool) {
	d.k += d.gaps.draw(d.rand)
	if all := d.curve.areas[len(d.curve.pieces)]; all.minus(d.k) > 0 {
		d.k = math.Inf(1)
		return arrival{}, false
	}
	if d.k <= 0 {
		return arrival{}, true
	}
	return arrival{at: d.curve.at(d.k)}, true
}

// limited ends after n arrivals.
type limited struct {
	arrivals
	left int64
}

func (l *limited) next() (arrival, bool) {
	if l.left <= 0 {
		return arrival{}, false
	}
	l.left--
	return l.arrivals.next()
}

// bursts are size arrivals at once, at 0, every, 2·every, …, before length.
type bursts struct {
	size          int
	every, length time.Duration
}

// Bursts is an open profile of size requests at once, at the start and then
// every so often, for as long as For says:
//
//	load.Bursts(500, time.Minute).For(time.Hour) // 60 bursts of 500
//
// The requests of a burst share one instant and run in the order of their
// numbers.
func Bursts(size int, every time.Duration) Profile {
	p := Profile{kind: kindOpen, unit: time.Second, bursts: &bursts{size: size, every: every}}
	switch {
	case size <= 0:
		p.fail("Bursts: size: %d is not positive", size)
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
	return p.note("bursts of %d every %v for %v", b.size, b.every, d)
}

func (b *bursts) expected() float64 {
	if b.every <= 0 || b.length <= 0 {
		return 0
	}
	return float64(b.size) * float64((b.length-1)/b.every+1)
}

type burstSource struct {
	bursts
	factor float64
	burst  int64
	inside int64
}

func (b *burstSource) next() (arrival, bool) {
	size := max(int64(math.Round(float64(b.size)*b.factor)), 1)
	if b.inside == size {
		b.inside = 0
		b.burst++
	}
	if b.burst > int64((b.length-1)/b.every) {
		return arrival{}, false
	}
	b.inside++
	return arrival{at: time.Duration(b.burst) * b.every}, true
}

// Gaps is a distribution of the gaps between arrivals, in units of the mean gap. The
// zero value is even spacing.
type Gaps struct {
	name string
	draw func(*rand.Rand) float64
	err  error
}

func (g Gaps) random() bool { return g.draw != nil }

// ExponentialGaps make a Poisson process.
func ExponentialGaps() Gaps {
	return Gaps{name: "exponential", draw: (*rand.Rand).ExpFloat64}
}

// UniformGaps are uniform over [1-spread, 1+spread] mean gaps, 0 < spread <= 1.
func UniformGaps(spread float64) Gaps {
	g := Gaps{name: fmt.Sprintf("uniform(%v)", spread)}
	if !(spread > 0 && spread <= 1) {
		g.err = fmt.Errorf("UniformGaps: spread: %v is not in (0, 1]", spread)
	}
	g.draw = func(r *rand.Rand) float64 { return 1 - spread + 2*spread*r.Float64() }
	return g
}

// ErlangGaps are the sum of k exponential gaps: the larger k, the more even. k
// runs from 1 to 1000.
func ErlangGaps(k int) Gaps {
	g := Gaps{name: fmt.Sprintf("erlang(%d)", k)}
	if k < 1 || k > 1000 {
		g.err = fmt.Errorf("ErlangGaps: k: %d is not between 1 and 1000", k)
	}
	g.draw = func(r *rand.Rand) (sum float64) {
		for range k {
			sum += r.ExpFloat64()
		}
		return sum / float64(k)
	}
	return g
}

// HyperexponentialGaps are burstier than Poisson: two exponential
// distributions, mixed with balanced means so that the squared coefficient of variation
// is cv2, which is over 1 (Whitt, 1982).
func HyperexponentialGaps(cv2 float64) Gaps {
	g := Gaps{name: fmt.Sprintf("hyperexponential(%v)", cv2)}
	if !(cv2 > 1) || math.IsInf(cv2, 1) {
		g.err = fmt.Errorf("HyperexponentialGaps: cv2: %v is not a finite number > 1", cv2)
	}
	p := (1 + math.Sqrt((cv2-1)/(cv2+1))) / 2
	g.draw = func(r *rand.Rand) float64 {
		if r.Float64() < p {
			return r.ExpFloat64() / (2 * p)
		}
		return r.ExpFloat64() / (2 * (1 - p))
	}
	return g
}

// GapsFunc is a distribution of the caller's own. draw returns gaps with mean
// 1; negative and not finite ones count as 0.
func GapsFunc(name string, draw func(*rand.Rand) float64) Gaps {
	if draw == nil {
		return Gaps{name: name, err: fmt.Errorf("GapsFunc(%q): draw is nil", name)}
	}
	return Gaps{name: name, draw: func(r *rand.Rand) float64 {
		if x := draw(r); x > 0 && !math.IsInf(x, 1) {
			return x
		}
		return 0
	}}
}
