// Package picker chooses between steps by their weights.
package picker

// A Picker chooses steps so that after any number of requests each step has had its share,
// weight/sum, to within less than one request. Nothing is drawn. It solves the chairman assignment
// problem (Tijdeman, 1980): of the steps that may run without getting ahead of their share, it
// chooses the one that would be the first to fall behind.
//
// Terms, for n steps with weights w, sum W, after c picks, x of them for one
// step: its credit is c·w - x·W, in requests times W. Tijdeman's bound is
// |credit| <= (1 - 1/(2n-2))·W. All arithmetic is in integers, scaled by 2n-2.
type Picker struct {
	weights []int64
	credit  []int64 // scaled by 2n-2
	sum     int64
}

// MaxWeight keeps the products of a pick far from overflow.
const MaxWeight = 1_000_000

// New returns a picker before its first pick. Weights are at most MaxWeight, and not all of them zero.
func New(weights []int64) *Picker {
	p := &Picker{weights: weights, credit: make([]int64, len(weights))}
	for _, w := range weights {
		p.sum += w
	}
	return p
}

// Skip leaves out n picks. They repeat after as many as the sum of the weights.
func (p *Picker) Skip(n int64) {
	if len(p.weights) < 2 {
		return
	}
	for range n % p.sum {
		p.Pick()
	}
}

// Pick returns the index of the next step.
func (p *Picker) Pick() int {
	n := int64(len(p.weights))
	if n == 1 {
		return 0
	}
	scale := 2*n - 2
	best := -1
	for i, w := range p.weights {
		p.credit[i] += w * scale
		if w == 0 || p.credit[i] < p.sum {
			continue // would get ahead of its share
		}
		// The deadline, (scale·W - W - credit)/w, compared without dividing. Of
		// equal ones the first step wins.
		if best < 0 || (scale*p.sum-p.sum-p.credit[i])*p.weights[best] < (scale*p.sum-p.sum-p.credit[best])*w {
			best = i
		}
	}
	p.credit[best] -= scale * p.sum
	return best
}
