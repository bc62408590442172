package route

import (
	"math/rand/v2"
	"time"
)

// RoundRobin takes one candidate after the other.
func RoundRobin(*rand.Rand) Picker {
	last := uint64(0)
	return pickFunc(func(_ time.Time, _ Request, candidates, _ []*Target) int {
		next := 0
		for i, t := range candidates {
			if t.order > last {
				next = i
				break
			}
		}
		last = candidates[next].order
		return next
	})
}

// Random takes each candidate with the same chance.
func Random(r *rand.Rand) Picker {
	return pickFunc(func(_ time.Time, _ Request, candidates, _ []*Target) int { return r.IntN(len(candidates)) })
}

// LeastRequests takes the candidate with the fewest active requests for its weight. Among equals it draws.
func LeastRequests(r *rand.Rand) Picker {
	return pickFunc(func(_ time.Time, _ Request, candidates, _ []*Target) int {
		best, equals := 0, 1
		for i, t := range candidates[1:] {
			switch a, b := t.load(), candidates[best].load(); {
			case a < b:
				best, equals = i+1, 1
			case a == b:
				equals++
				if r.IntN(equals) == 0 {
					best = i + 1
				}
			}
		}
		return best
	})
}

// PowerOfTwo draws two candidates, and takes the one with fewer active requests for its weight.
func PowerOfTwo(r *rand.Rand) Picker {
	return pickFunc(func(_ time.Time, _ Request, candidates, _ []*Target) int {
		a, b := two(r, len(candidates))
		if candidates[b].load() < candidates[a].load() {
			return b
		}
		return a
	})
}

// two draws two different numbers below n, or 0 twice where n is 1.
func two(r *rand.Rand, n int) (a, b int) {
	if n == 1 {
		return 0, 0
	}
	a, b = r.IntN(n), r.IntN(n-1)
	if b >= a {
		b++
	}
	return a, b
}

// Weighted is smooth weighted round robin.
func Weighted(*rand.Rand) Picker {
	return pickFunc(func(_ time.Time, _ Request, candidates, _ []*Target) int {
		best, sum := 0, 0.0
		for i, t := range candidates {
			t.credit += t.Weight
			sum += t.Weight
			if t.credit > candidates[best].credit {
				best = i
			}
		}
		candidates[best].credit -= sum
		return best
	})
}

// DefaultDecay is the decay of [PeakEWMA] that Finagle has.
const DefaultDecay = 10 * time.Second

// PeakEWMA draws two candidates, and takes the one whose latency, times its active requests and one more, is lower.
// decay is how fast the past is forgotten; 0 is [DefaultDecay].
func PeakEWMA(decay time.Duration) Policy {
	if decay <= 0 {
		decay = DefaultDecay
	}
	return func(r *rand.Rand) Picker { return peak{r, decay} }
}

type peak struct {
	r     *rand.Rand
	decay time.Duration
}

// noMeasurement is the cost of a target that has requests and has answered none: eleven days, to which a float64 can
// still add one request.
const noMeasurement = 1e15

func (p peak) cost(now time.Time, t *Target) float64 {
	latency := t.cost.fall(now, p.decay)
	if latency == 0 && t.Active > 0 {
		return noMeasurement + float64(t.Active)
	}
	return latency * float64(t.Active+1) / t.Weight
}

// Pick implements Picker.
func (p peak) Pick(now time.Time, _ Request, candidates, _ []*Target) int {
	a, b := two(p.r, len(candidates))
	if p.cost(now, candidates[b]) < p.cost(now, candidates[a]) {
		return b
	}
	return a
}

// observe implements observer.
func (p peak) observe(now time.Time, t *Target, latency time.Duration) {
	t.cost.observe(now, latency, p.decay)
}

// observer is a Picker that wants the latencies.
type observer interface {
	observe(now time.Time, t *Target, latency time.Duration)
}
