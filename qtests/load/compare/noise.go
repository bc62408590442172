package compare

import "math"

// A series is how far a figure was off its mean in every interval of a run's timeline, as a sum over the requests
// of the interval. variance is what the sum over the whole run would have if the requests were independent.
type series struct {
	off      []float64
	variance float64
}

// A noise is by which factor, at least 1, the variance of a figure is larger than with independent requests, and
// from how many degrees of freedom that is known. An infinite inflation says that the run is too short to tell.
type noise struct{ inflation, freedom float64 }

// independent is the noise of requests that do not depend on each other.
var independent = noise{1, math.Inf(1)}

const (
	// leastBatches is the least number of batches into which a run is divided.
	leastBatches = 12
	// correlatedFrom is the z from which batches count as correlated. One series in ten of
	// independent batches does, which costs little.
	correlatedFrom = 1.28
)

// measure finds the inflation by the method of batch means (Law, Simulation
// Modeling and Analysis, 9.5.3). The batches start as single intervals and
// double in length until von Neumann's ratio no longer sees a correlation
// between neighbours (Fishman, Grouping observations in digital simulation,
// 1978). The correlation that is left then is corrected for as in an autoregressive process.
func (s series) measure() noise {
	if s.variance <= 0 || len(s.off) < leastBatches {
		return independent
	}
	for batches := centred(s.off); len(batches) >= leastBatches; batches = doubled(batches) {
		n := float64(len(batches))
		squares, correlation := neighbours(batches)
		if squares == 0 {
			return independent
		}
		if correlation > correlatedFrom*math.Sqrt((n-2)/(n*n-1)) {
			continue
		}
		left := 0.0
		if len(batches) < len(s.off) {
			left = max(correlation, 0)
		}
		return noise{max(1, (1+left)/(1-left)*squares*n/(n-1)/s.variance), n - 1}
	}
	return noise{math.Inf(1), leastBatches - 1}
}

// neighbours returns the sum of squares of the batches, and von Neumann's
// estimate of the correlation between neighbours.
func neighbours(batches []float64) (squares, correlation float64) {
	steps := 0.0
	for i, x := range batches {
		squares += x * x
		if i > 0 {
			steps += (x - batches[i-1]) * (x - batches[i-1])
		}
	}
	first, last := batches[0], batches[len(batches)-1]
	return squares, 1 - (steps+first*first+last*last)/(2*squares)
}

func centred(xs []float64) []float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = x - sum/float64(len(xs)) // exact where all are one whole number: that has no noise at all
	}
	return out
}

// doubled makes one batch of every two. A single one at the end is left out.
func doubled(batches []float64) []float64 {
	for i := range len(batches) / 2 {
		batches[i] = batches[2*i] + batches[2*i+1]
	}
	return batches[:len(batches)/2]
}

// less returns the deviations of s minus those of t: what both runs went through at the same time, such as a ramp
// or an outage, is no noise.
func (s series) less(t series) series {
	d := series{off: make([]float64, min(len(s.off), len(t.off))), variance: s.variance + t.variance}
	for i := range d.off {
		d.off[i] = s.off[i] - t.off[i]
	}
	return d
}

// plus is the noise of both runs, if their intervals cannot be paired.
func (s series) plus(t series) noise {
	n, m := s.measure(), t.measure()
	if variance := s.variance + t.variance; variance > 0 {
		n.inflation = (n.inflation*s.variance + m.inflation*t.variance) / variance
	}
	n.freedom = min(n.freedom, m.freedom)
	return n
}

// ofPart is the noise of a part of the requests, for which there is no timeline. In the worst case this part causes
// all the dependence.
func (n noise) ofPart(share float64) noise {
	if excess := n.inflation - 1; excess > 3*math.Sqrt(2/n.freedom) {
		n.inflation = 1 + excess/share
	}
	return n
}

// z is how many standard errors an interval of the given error, on each side,
// reaches: the quantile of Student's distribution.
func (n noise) z(tail float64) float64 {
	low, high := 0.0, 1.0
	for studentTail(high, n.freedom) > tail {
		low, high = high, 2*high
	}
	for range 60 {
		if middle := (low + high) / 2; studentTail(middle, n.freedom) > tail {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// studentTail is the probability that a variable of Student's distribution
// exceeds t >= 0.
func studentTail(t, freedom float64) float64 {
	if math.IsInf(freedom, 1) {
		return normalTail(t)
	}
	return incompleteBeta(freedom/2, 0.5, freedom/(freedom+t*t)) / 2
}

func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// binomial is the probability of at most k successes in n trials.
func binomial(k, n int64, q float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return incompleteBeta(float64(n-k), float64(k+1), 1-q)
}

// incompleteBeta is the regularized incomplete beta function, by its continued
// fraction (Abramowitz and Stegun, 26.5.8) in Lentz's form.
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 || x >= 1 {
		return min(max(x, 0), 1)
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, 1-x)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	const tiny = 1e-300
	away := func(y float64) float64 {
		if math.Abs(y) < tiny {
			return tiny
		}
		return y
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	for m := 1.0; m < 100_000; m++ { // about the root of the larger of a and b
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+even*d), away(1+even/c)
		f *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+odd*d), away(1+odd/c)
		f *= d * c
		if math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return min(front*f/a, 1)
}
