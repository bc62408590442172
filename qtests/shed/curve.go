package shed

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Curve is goodput over offered load, both in one unit, such as requests per second. It shows what a service does when it gets more than
// it can serve: with good shedding it stays flat behind the knee, and without it falls.
type Curve []Point

// A Point of a Curve.
type Point struct{ Offered, Goodput float64 }

// Knee is the largest offered load of which at least this share was served, and so of all smaller ones. ok is false if there is none.
func (c Curve) Knee(share float64) (offered float64, ok bool) {
	for _, p := range c.sorted() {
		if p.Goodput < share*p.Offered {
			break
		}
		offered, ok = p.Offered, true
	}
	return offered, ok
}

// Kept is the goodput at the largest offered load as a share of the best: 1 is flat, 0 is collapse. It is 1 for a curve without a point.
func (c Curve) Kept() float64 {
	best := 0.0
	for _, p := range c {
		best = max(best, p.Goodput)
	}
	if best == 0 {
		return 1
	}
	all := c.sorted()
	return all[len(all)-1].Goodput / best
}

func (c Curve) sorted() Curve {
	return slices.SortedStableFunc(slices.Values(c), func(a, b Point) int { return cmp.Compare(a.Offered, b.Offered) })
}

// String draws the curve, a line for each point.
func (c Curve) String() string {
	const width = 50
	most := 0.0
	for _, p := range c {
		most = max(most, p.Offered)
	}
	var b strings.Builder
	for _, p := range c.sorted() {
		n := 0
		if most > 0 {
			n = int(p.Goodput/most*width + 0.5)
		}
		fmt.Fprintf(&b, "%10.4g offered  %10.4g served  %s\n", p.Offered, p.Goodput, strings.Repeat("█", n))
	}
	return b.String()
}

// Fairness is Jain's index of what the named classes got, admitted/offered each: 1 if all got the same share, 1/n if one got all
// (Jain, Chiu and Hawe, 1984). Classes that offered nothing do not count. It is 1 for none.
func (x Stats) Fairness(classes ...string) float64 {
	sum, squares, n := 0.0, 0.0, 0.0
	for _, name := range classes {
		k := x.Classes[name]
		if k.Offered == 0 {
			continue
		}
		share := float64(k.Admitted) / float64(k.Offered)
		sum += share
		squares += share * share
		n++
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (n * squares)
}
