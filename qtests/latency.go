package qtests

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A Latency is a distribution of durations, never negative. The zero value is no
// latency at all. It is a value without state: what it draws depends on the
// generator alone, and one Latency may serve any number of goroutines, each with
// its own generator.
//
// A constructor given parameters without meaning returns a Latency whose Err
// says which; constructors of fakes and scenarios report it as an error of
// their Config.
type Latency struct {
	name string
	draw func(*rand.Rand) time.Duration
	err  error
}

// LatencyFunc makes a distribution of the caller's own. draw must depend on
// nothing but its argument; negative results count as zero.
func LatencyFunc(name string, draw func(*rand.Rand) time.Duration) Latency {
	if draw == nil {
		return badLatency("LatencyFunc(%q): draw is nil", name)
	}
	return Latency{name: name, draw: draw}
}

// Fixed is always d.
func Fixed(d time.Duration) Latency {
	if d < 0 {
		return badLatency("Fixed(%v): negative", d)
	}
	return Latency{fmt.Sprintf("Fixed(%v)", d), func(*rand.Rand) time.Duration { return d }, nil}
}

// Uniform is uniform over [low, high].
func Uniform(low, high time.Duration) Latency {
	name := fmt.Sprintf("Uniform(%v, %v)", low, high)
	if low < 0 || high < low {
		return badLatency("%s: want 0 <= low <= high", name)
	}
	return Latency{name, func(r *rand.Rand) time.Duration {
		if span := uint64(high-low) + 1; span != 0 {
			return low + time.Duration(r.Uint64N(span))
		}
		return low + time.Duration(r.Int64())
	}, nil}
}

// Exponential has the given mean.
func Exponential(mean time.Duration) Latency {
	name := fmt.Sprintf("Exponential(%v)", mean)
	if mean < 0 {
		return badLatency("%s: negative mean", name)
	}
	return Latency{name, func(r *rand.Rand) time.Duration {
		return nanoseconds(r.ExpFloat64() * float64(mean))
	}, nil}
}

// Normal has the given mean and standard deviation before it is truncated at
// zero: negative draws are drawn again, so that the mean of what is left is
// somewhat larger when stddev is not small against mean.
func Normal(mean, stddev time.Duration) Latency {
	name := fmt.Sprintf("Normal(%v, %v)", mean, stddev)
	if mean < 0 || stddev < 0 {
		return badLatency("%s: want mean >= 0 and stddev >= 0", name)
	}
	return Latency{name, func(r *rand.Rand) time.Duration {
		for {
			// mean >= 0 makes every draw good with probability one half or more.
			if x := r.NormFloat64()*float64(stddev) + float64(mean); x >= 0 {
				return nanoseconds(x)
			}
		}
	}, nil}
}

// z99 is the 99th percentile of the standard normal distribution.
const z99 = 2.3263478740408408

// LogNormal is the log-normal distribution with the given median and 99th
// percentile, the two figures that services publish: ln X is normal with mean
// ln(median) and standard deviation ln(p99/median)/z(0.99).
func LogNormal(median, p99 time.Duration) Latency {
	name := fmt.Sprintf("LogNormal(%v, %v)", median, p99)
	if median <= 0 || p99 < median {
		return badLatency("%s: want 0 < median <= p99", name)
	}
	sigma := math.Log(float64(p99)/float64(median)) / z99
	return Latency{name, func(r *rand.Rand) time.Duration {
		return nanoseconds(float64(median) * math.Exp(sigma*r.NormFloat64()))
	}, nil}
}

// Pareto has the given smallest value and tail index alpha > 0, drawn by
// inversion: X = minimum / U^(1/alpha). Its mean is infinite for alpha <= 1 and
// its variance for alpha <= 2.
func Pareto(minimum time.Duration, alpha float64) Latency {
	name := fmt.Sprintf("Pareto(%v, %v)", minimum, alpha)
	if minimum <= 0 || !(alpha > 0) || math.IsInf(alpha, 1) {
		return badLatency("%s: want minimum > 0 and a finite alpha > 0", name)
	}
	return Latency{name, func(r *rand.Rand) time.Duration {
		u := 1 - r.Float64() // in (0, 1]
		return nanoseconds(float64(minimum) / math.Pow(u, 1/alpha))
	}, nil}
}

// A Share is one part of a [Mix].
type Share struct {
	Weight  float64 // relative to the other shares; finite and not negative
	Latency Latency
}

// Mix draws from one of the shares, each with a probability in proportion to
// its weight: a fast path and a slow one, a cache hit and a miss.
func Mix(shares ...Share) Latency {
	name, sum := "Mix(", 0.0
	cumulative := make([]float64, len(shares))
	for i, s := range shares {
		if !(s.Weight >= 0) || math.IsInf(s.Weight, 1) {
			return badLatency("Mix: share %d: weight %v is not a finite number >= 0", i, s.Weight)
		}
		if err := s.Latency.Err(); err != nil {
			return badLatency("Mix: share %d: %w", i, err)
		}
		sum += s.Weight
		cumulative[i] = sum
		if i > 0 {
			name += ", "
		}
		name += fmt.Sprintf("%v×%v", s.Weight, s.Latency)
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return badLatency("Mix: the weights add up to %v", sum)
	}
	shares = slices.Clone(shares)
	return Latency{name + ")", func(r *rand.Rand) time.Duration {
		// The first share whose cumulative weight exceeds the draw: one of
		// weight zero is never chosen.
		i, exact := slices.BinarySearch(cumulative, r.Float64()*sum)
		for exact && i < len(cumulative)-1 && cumulative[i+1] == cumulative[i] {
			i++
		}
		if exact && i < len(cumulative)-1 {
			i++
		}
		return shares[i].Latency.Sample(r)
	}, nil}
}

// Observed draws from measured values, each with the same probability, as a
// bootstrap does. It copies samples.
func Observed(samples []time.Duration) Latency {
	if len(samples) == 0 {
		return badLatency("Observed: no samples")
	}
	for i, d := range samples {
		if d < 0 {
			return badLatency("Observed: sample %d: %v is negative", i, d)
		}
	}
	samples = slices.Clone(samples)
	return Latency{fmt.Sprintf("Observed(%d samples)", len(samples)), func(r *rand.Rand) time.Duration {
		return samples[r.IntN(len(samples))]
	}, nil}
}

func badLatency(format string, args ...any) Latency {
	return Latency{err: fmt.Errorf("qtests: "+format, args...)}
}

// Sample draws one duration with r. A Latency with an error draws zero.
func (l Latency) Sample(r *rand.Rand) time.Duration {
	if l.draw == nil {
		return 0
	}
	return max(0, l.draw(r))
}

// IsZero reports whether l is the zero value, no latency at all.
func (l Latency) IsZero() bool { return l.draw == nil && l.err == nil }

// Err returns what is wrong with the parameters, or nil.
func (l Latency) Err() error { return l.err }

// String returns the call that made l.
func (l Latency) String() string {
	switch {
	case l.err != nil:
		return "invalid latency: " + l.err.Error()
	case l.draw == nil:
		return "none"
	}
	return l.name
}

// nanoseconds converts nanoseconds in floating point, saturating instead of
// wrapping: a heavy tail must not become a negative sleep.
func nanoseconds(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}
