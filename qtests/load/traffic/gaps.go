package traffic

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// Gaps is a distribution of the gaps between arrivals, in units of the mean gap. The
// zero value is even spacing.
type Gaps struct {
	name    string
	draw    func(*rand.Rand) float64
	foreign bool // draw is the user's code
	err     error
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

// GapsFunc is a distribution of your own. draw returns gaps with mean 1. A gap that is negative or not
// finite counts as 0. A run ends with an error if draw panics, and if more than 1,000,000 arrivals come
// at one instant, because then no time would ever pass.
func GapsFunc(name string, draw func(*rand.Rand) float64) Gaps {
	if draw == nil {
		return Gaps{name: name, err: fmt.Errorf("GapsFunc(%q): draw is nil", name)}
	}
	return Gaps{name: name, foreign: true, draw: func(r *rand.Rand) float64 {
		if x := draw(r); x > 0 && !math.IsInf(x, 1) {
			return x
		}
		return 0
	}}
}

// maxTogether is how many arrivals of a GapsFunc may share an instant.
const maxTogether = 1_000_000

// drawn is one arrival whenever the area has grown by a gap.
type drawn struct {
	curve    *curve
	gaps     Gaps
	rand     *rand.Rand
	least    bool // one arrival comes at the end if none was drawn
	k        float64
	count    int64
	latest   time.Duration
	together int // arrivals at the latest instant
	err      error
}

func (d *drawn) Err() error    { return d.err }
func (d *drawn) Foreign() bool { return d.gaps.foreign }

func (d *drawn) Next() (Arrival, bool) {
	if d.err != nil || math.IsInf(d.k, 1) {
		return Arrival{}, false
	}
	gap, ok := d.draw()
	if !ok {
		return Arrival{}, false
	}
	d.k += gap
	if all := d.curve.areas[len(d.curve.pieces)]; all.minus(d.k) > 0 {
		d.k = math.Inf(1)
		if d.least && d.count == 0 {
			d.count++
			return Arrival{At: d.curve.at(all.hi)}, true
		}
		return Arrival{}, false
	}
	at := time.Duration(0)
	if d.k > 0 {
		at = d.curve.at(d.k)
	}
	return Arrival{At: at}, d.passes(at)
}

// passes counts an arrival, and reports whether time still passes.
func (d *drawn) passes(at time.Duration) bool {
	d.count++
	if at != d.latest {
		d.latest, d.together = at, 0
	}
	d.together++
	switch {
	case d.gaps.foreign && d.together > maxTogether:
		d.err = fmt.Errorf("load: GapsFunc(%q): more than %s arrivals at %v: its gaps have to have mean 1",
			d.gaps.name, text.Grouped(maxTogether), at)
	case d.count > maxArrivals:
		d.err = fmt.Errorf("load: %s gaps: more than %.0g arrivals until %v: the gaps have to have mean 1",
			d.gaps.name, float64(maxArrivals), at)
	}
	return d.err == nil
}

// draw calls the user's code, which may panic or end the goroutine. The goroutine cannot be kept, but
// Err tells of it from then on.
func (d *drawn) draw() (gap float64, ok bool) {
	defer func() {
		if ok {
			return
		}
		err, exiting := usercode.Cause(recover())
		d.err = fmt.Errorf("load: %s gaps: %w", d.gaps.name, err)
		if exiting {
			d.err = errors.New("load: " + d.gaps.name + " gaps: goexit: draw ended its goroutine (t.FailNow, require)")
		}
	}()
	return d.gaps.draw(d.rand), true
}
