// Package latency has distributions of durations: how long a fake takes to answer, a user
// to think, a client to wait before it tries again.
//
//	fakesql.NewT(q, fakesql.Config{Latency: latency.LogNormal(3*time.Millisecond, 20*time.Millisecond)})
//
// A [Distribution] is made from the figures that services publish, or from measured values
// ([Observed], [ObservedHistogram]). What it draws depends on the generator that it is given
// and on nothing else.
package latency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// A Distribution is a distribution of durations, never negative. The zero value is no
// latency at all. It is a value without state: what it draws depends on the
// generator alone, and one Distribution may serve any number of goroutines, each with
// its own generator.
//
// A constructor given parameters without meaning returns a Distribution that draws
// zero and whose Err says which; constructors of fakes and scenarios report it as
// an error of their Config. Draws are whole nanoseconds, and one too long for a
// time.Duration is the longest there is, 292 years.
type Distribution struct {
	name string
	draw func(*rand.Rand) time.Duration
	err  error
}

// Func makes a distribution of the caller's own. draw must depend on
// nothing but its argument, or a run cannot be repeated, and is called by many
// goroutines at once; negative results count as zero. A panic in it is one of
// Sample.
func Func(name string, draw func(*rand.Rand) time.Duration) Distribution {
	if draw == nil {
		return bad("LatencyFunc(%q): draw is nil", name)
	}
	return Distribution{name: name, draw: draw}
}

// Fixed is always d.
func Fixed(d time.Duration) Distribution {
	if d < 0 {
		return bad("Fixed(%v): negative", d)
	}
	return Distribution{fmt.Sprintf("Fixed(%v)", d), func(*rand.Rand) time.Duration { return d }, nil}
}

// Uniform is uniform over [low, high], both ends included.
func Uniform(low, high time.Duration) Distribution {
	name := fmt.Sprintf("Uniform(%v, %v)", low, high)
	if low < 0 || high < low {
		return bad("%s: want 0 <= low <= high", name)
	}
	return Distribution{name, func(r *rand.Rand) time.Duration {
		return low + time.Duration(r.Uint64N(uint64(high-low)+1))
	}, nil}
}

// Exponential is the exponential distribution with the given mean, that of the
// time between independent events.
func Exponential(mean time.Duration) Distribution {
	name := fmt.Sprintf("Exponential(%v)", mean)
	if mean < 0 {
		return bad("%s: negative mean", name)
	}
	return Distribution{name, func(r *rand.Rand) time.Duration {
		return nanoseconds(r.ExpFloat64() * float64(mean))
	}, nil}
}

// Normal is the normal distribution with the given mean and standard deviation,
// truncated at zero: a negative draw is drawn again. The mean of what is left is
// mean + stddev·φ(a)/Φ(a) with a = mean/stddev, larger than mean by 0.7 % at
// a = 2.5 and by 29 % at a = 1 (N. L. Johnson, S. Kotz and N. Balakrishnan,
// Continuous Univariate Distributions, vol. 1, 2nd ed., 13.10.1).
func Normal(mean, stddev time.Duration) Distribution {
	name := fmt.Sprintf("Normal(%v, %v)", mean, stddev)
	if mean < 0 || stddev < 0 {
		return bad("%s: want mean >= 0 and stddev >= 0", name)
	}
	return Distribution{name, func(r *rand.Rand) time.Duration {
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
// ln(median) and standard deviation ln(p99/median)/z, where z = 2.326 is the 99th
// percentile of the standard normal distribution. Its mean is above the median:
// median·exp(σ²/2).
func LogNormal(median, p99 time.Duration) Distribution {
	name := fmt.Sprintf("LogNormal(%v, %v)", median, p99)
	if median <= 0 || p99 < median {
		return bad("%s: want 0 < median <= p99", name)
	}
	sigma := math.Log(float64(p99)/float64(median)) / z99
	return Distribution{name, func(r *rand.Rand) time.Duration {
		return nanoseconds(float64(median) * math.Exp(sigma*r.NormFloat64()))
	}, nil}
}

// Pareto is the distribution of Pareto's first kind, with the given smallest
// value and tail index alpha > 0: P(X > x) = (minimum/x)^alpha, drawn by inversion
// as minimum / U^(1/alpha). Its mean is infinite for alpha <= 1 and its variance
// for alpha <= 2.
func Pareto(minimum time.Duration, alpha float64) Distribution {
	name := fmt.Sprintf("Pareto(%v, %v)", minimum, alpha)
	if minimum <= 0 || !(alpha > 0) || math.IsInf(alpha, 1) {
		return bad("%s: want minimum > 0 and a finite alpha > 0", name)
	}
	return Distribution{name, func(r *rand.Rand) time.Duration {
		u := 1 - r.Float64() // in (0, 1]
		// A minimum beyond 2^53 ns (104 days) may round down on its way.
		return max(minimum, nanoseconds(float64(minimum)/math.Pow(u, 1/alpha)))
	}, nil}
}

// A Share is one part of a [Mix].
type Share struct {
	Weight  float64 // relative to the other shares; finite and not negative
	Latency Distribution
}

// Mix draws from one of the shares, each with a probability in proportion to
// its weight: a fast path and a slow one, a cache hit and a miss. A share of
// weight zero is never drawn, and a zero Latency in a share is no latency.
func Mix(shares ...Share) Distribution {
	var sum float64
	names := make([]string, len(shares))
	parts := make([]weighted[Distribution], 0, len(shares))
	for i, s := range shares {
		if !(s.Weight >= 0) || math.IsInf(s.Weight, 1) {
			return bad("Mix: share %d: weight %v is not a finite number >= 0", i, s.Weight)
		}
		if s.Latency.err != nil {
			return bad("Mix: share %d: %w", i, s.Latency.err)
		}
		names[i] = fmt.Sprintf("%v×%v", s.Weight, s.Latency)
		if s.Weight > 0 {
			sum += s.Weight
			parts = append(parts, weighted[Distribution]{sum, s.Latency})
		}
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return bad("Mix: the weights add up to %v, not to a finite number > 0", sum)
	}
	return Distribution{"Mix(" + strings.Join(names, ", ") + ")", func(r *rand.Rand) time.Duration {
		return pick(parts, r.Float64()*sum).Sample(r)
	}, nil}
}

func bad(format string, args ...any) Distribution {
	return Distribution{err: fmt.Errorf(format, args...)}
}

// Sample draws one duration with r, which belongs to the caller alone. The zero
// value and a Distribution with an error draw zero and take nothing from r.
func (l Distribution) Sample(r *rand.Rand) time.Duration {
	if l.draw == nil {
		return 0
	}
	return max(0, l.draw(r))
}

// IsZero reports whether l is the zero value, no latency at all.
func (l Distribution) IsZero() bool { return l.draw == nil && l.err == nil }

// Err returns what is wrong with the parameters of the constructor, which it
// names with their values, or nil.
func (l Distribution) Err() error {
	if l.err == nil {
		return nil
	}
	return fmt.Errorf("latency: %w", l.err)
}

// String returns the call that made l, "none" for the zero value.
func (l Distribution) String() string {
	switch {
	case l.err != nil:
		return "invalid latency: " + l.err.Error()
	case l.draw == nil:
		return "none"
	}
	return l.name
}

// nanoseconds rounds to whole nanoseconds, saturating instead of wrapping: a
// heavy tail must not become a negative sleep.
func nanoseconds(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(ns))
}
