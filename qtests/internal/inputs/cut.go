package inputs

import (
	"slices"
	"time"
)

// A First is given inputs and returns the index of the first under which the run fails, or -1;
// it returns -2 to end the cut early.
type First func(all []*Inputs) int

// mostRequests is how many requests of a scenario are tried where it did not say how many
// there were.
const mostRequests = 1 << 16

// Smaller makes the numbers of inputs smaller while the run fails: fewer requests of each
// scenario, fewer users, shorter faults. The inputs that it returns failed, or are those given.
func Smaller(in *Inputs, first First) *Inputs {
	c := cut{in.Clone(), first, false}
	for i := range c.in.Loads {
		c.requests(i)
		c.try(scales, func(in *Inputs, x float64) bool {
			if x >= in.Loads[i].Scale {
				return false
			}
			in.Loads[i].Scale = x
			return true
		})
	}
	for i := range c.in.Faults {
		whole := c.in.Faults[i].For
		c.try(shares, func(in *Inputs, x float64) bool {
			d := round(time.Duration(float64(whole) * x))
			in.Faults[i].For = d
			return d > 0 // 0 is for ever
		})
	}
	return c.in
}

// scales and shares are tried from the smallest on: what is small is also soon over.
var (
	scales = []float64{0.01, 0.03, 0.1, 0.3, 0.5, 0.75}
	shares = []float64{1. / 256, 1. / 64, 1. / 16, 1. / 4, 1. / 2, 3. / 4}
)

// A cut is the state of Smaller.
type cut struct {
	in    *Inputs
	first First
	over  bool
}

// try takes the first value under which the run fails.
func (c *cut) try(values []float64, set func(in *Inputs, x float64) bool) {
	var all []*Inputs
	for _, x := range values {
		if in := c.in.Clone(); set(in, x) {
			all = append(all, in)
		}
	}
	c.take(all)
}

// take takes the first of all that fails, and returns its index or -1.
func (c *cut) take(all []*Inputs) int {
	if len(all) == 0 || c.over {
		return -1
	}
	i := c.first(all)
	c.over = i == -2
	if i >= 0 {
		c.in = all[i]
	}
	return max(i, -1)
}

// requests finds how many of the first requests of a scenario it takes: a power of two, and
// from there on by halves.
func (c *cut) requests(i int) {
	var tries []*Inputs
	for n, most := int64(1), c.mostOf(i); n < most; n *= 2 {
		tries = append(tries, c.withRequests(i, n))
	}
	if c.take(tries) < 0 {
		return
	}
	load := func() Load { return c.in.Loads[i] } // changes with what is taken
	for low := load().Requests / 2; !c.over && load().Requests-low > max(1, low/16); {
		middle := low + (load().Requests-low)/2
		if c.take([]*Inputs{c.withRequests(i, middle)}) < 0 {
			low = middle
		}
	}
}

// mostOf is how many requests of a scenario there can be.
func (c *cut) mostOf(i int) int64 {
	l := c.in.Loads[i]
	most := int64(mostRequests)
	if l.Made > 0 {
		most = l.Made
	}
	if l.Requests > 0 {
		most = min(most, l.Requests)
	}
	return most
}

func (c *cut) withRequests(i int, n int64) *Inputs {
	in := c.in.Clone()
	in.Loads[i].Requests = n
	return in
}

// round leaves two digits of a duration.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 100 {
		unit *= 10
	}
	return d / unit * unit
}

// With returns the inputs with these faults alone.
func (in *Inputs) With(left []Fault) *Inputs {
	return &Inputs{Faults: slices.Clone(left), Loads: slices.Clone(in.Loads)}
}
