package latency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tb"
)

func TestLatencyErrors(t *testing.T) {
	const ms = time.Millisecond
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		latency Distribution
		want    string
	}{
		{Fixed(-1), "Fixed(-1ns): negative"},
		{Uniform(-1, 1), "Uniform(-1ns, 1ns): want 0 <= low <= high"},
		{Uniform(2, 1), "Uniform(2ns, 1ns): want 0 <= low <= high"},
		{Exponential(-ms), "Exponential(-1ms): negative mean"},
		{Normal(-ms, ms), "Normal(-1ms, 1ms): want mean >= 0 and stddev >= 0"},
		{Normal(ms, -ms), "Normal(1ms, -1ms): want mean >= 0 and stddev >= 0"},
		{LogNormal(0, ms), "LogNormal(0s, 1ms): want 0 < median <= p99"},
		{LogNormal(-ms, ms), "LogNormal(-1ms, 1ms): want 0 < median <= p99"},
		{LogNormal(2*ms, ms), "LogNormal(2ms, 1ms): want 0 < median <= p99"},
		{Pareto(0, 2), "Pareto(0s, 2): want minimum > 0 and a finite alpha > 0"},
		{Pareto(-ms, 2), "Pareto(-1ms, 2): want minimum > 0 and a finite alpha > 0"},
		{Pareto(ms, 0), "Pareto(1ms, 0): want minimum > 0 and a finite alpha > 0"},
		{Pareto(ms, -1), "Pareto(1ms, -1): want minimum > 0 and a finite alpha > 0"},
		{Pareto(ms, nan), "Pareto(1ms, NaN): want minimum > 0 and a finite alpha > 0"},
		{Pareto(ms, inf), "Pareto(1ms, +Inf): want minimum > 0 and a finite alpha > 0"},
		{Mix(), "Mix: the weights add up to 0, not to a finite number > 0"},
		{Mix(Share{0, Fixed(1)}), "Mix: the weights add up to 0, not to a finite number > 0"},
		{Mix(Share{math.MaxFloat64, Fixed(1)}, Share{math.MaxFloat64, Fixed(1)}), "Mix: the weights add up to +Inf, not to a finite number > 0"},
		{Mix(Share{1, Fixed(1)}, Share{-1, Fixed(1)}), "Mix: share 1: weight -1 is not a finite number >= 0"},
		{Mix(Share{nan, Fixed(1)}), "Mix: share 0: weight NaN is not a finite number >= 0"},
		{Mix(Share{inf, Fixed(1)}), "Mix: share 0: weight +Inf is not a finite number >= 0"},
		{Mix(Share{1, Fixed(1)}, Share{1, Fixed(-1)}), "Mix: share 1: Fixed(-1ns): negative"},
		{Mix(Share{1, Mix(Share{1, Fixed(-1)})}), "Mix: share 0: Mix: share 0: Fixed(-1ns): negative"},
		{Observed(nil), "Observed: no samples"},
		{Observed([]time.Duration{1, -2}), "Observed: sample 1: -2ns is negative"},
		{ObservedHistogram(nil, ms), "ObservedHistogram: the histogram is nil"},
		{ObservedHistogram(hdrhistogram.New(1, 100, 1), ms), "ObservedHistogram: no samples"},
		{ObservedHistogram(histogramOf(t, 1), 0), "ObservedHistogram: unit 0s is not positive"},
		{ObservedHistogram(histogramOf(t, 1), -ms), "ObservedHistogram: unit -1ms is not positive"},
		{Func("mine", nil), `LatencyFunc("mine"): draw is nil`},
	} {
		require.EqualError(t, c.latency.Err(), "latency: "+c.want)
		require.Equal(t, "invalid latency: "+c.want, c.latency.String())
		require.False(t, c.latency.IsZero(), "%s: a bad latency is not the same as none", c.want)
		require.Zero(t, c.latency.Sample(nil), c.want)
	}
}

func TestLatencyZeroValue(t *testing.T) {
	var l Distribution
	require.True(t, l.IsZero())
	require.NoError(t, l.Err())
	require.Equal(t, "none", l.String())
	require.Zero(t, l.Sample(nil))
	require.False(t, Fixed(0).IsZero(), "Fixed(0) is what somebody asked for")
}

// TestLatencyEdges holds distributions that are one value, ends of ranges, and
// draws beyond what a time.Duration holds.
func TestLatencyEdges(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	huge := hdrhistogram.New(1, math.MaxInt64/2, 1)
	require.NoError(t, huge.RecordValue(math.MaxInt64/2))
	for _, c := range []struct {
		latency   Distribution
		low, high time.Duration // bounds of every draw; equal for a constant
	}{
		{Fixed(0), 0, 0},
		{Fixed(longest), longest, longest},
		{Uniform(7, 7), 7, 7},
		{Uniform(7, 8), 7, 8},
		{Uniform(longest-1, longest), longest - 1, longest},
		{Uniform(0, longest), 0, longest},
		{Exponential(0), 0, 0},
		{Exponential(longest), 0, longest},
		{Normal(0, 0), 0, 0},
		{Normal(7, 0), 7, 7},
		{Normal(0, time.Second), 0, 10 * time.Second},
		{Normal(longest, longest), 0, longest},
		{LogNormal(7, 7), 7, 7},
		{LogNormal(1, longest), 0, longest},
		{LogNormal(longest, longest), longest, longest},
		{Pareto(1, math.SmallestNonzeroFloat64), longest, longest},
		{Pareto(1, 1e-3), 1, longest},
		{Pareto(1e6, math.MaxFloat64), 1e6, 1e6},
		{Pareto(1<<62+1, math.MaxFloat64), 1<<62 + 1, 1<<62 + 1},
		{Mix(Share{5, Fixed(7)}), 7, 7},
		{Mix(Share{0, Fixed(1)}, Share{1, Fixed(7)}, Share{0, Fixed(1)}), 7, 7},
		{Mix(Share{math.SmallestNonzeroFloat64, Fixed(7)}, Share{0, Fixed(1)}), 7, 7},
		{Mix(Share{1, Distribution{}}, Share{1, Fixed(0)}), 0, 0},
		{Observed([]time.Duration{0}), 0, 0},
		{Observed([]time.Duration{7, 8}), 7, 8},
		{ObservedHistogram(histogramOf(t, 7), time.Second), 7 * time.Second, 7 * time.Second},
		{ObservedHistogram(histogramOf(t, 0), time.Second), 0, 0},
		{ObservedHistogram(huge, time.Hour), longest, longest},
		{Func("negative", func(*rand.Rand) time.Duration { return -7 }), 0, 0},
	} {
		t.Run(c.latency.String(), func(t *testing.T) {
			require.NoError(t, c.latency.Err())
			r := tb.NewStream(1, "edges").Rand()
			seen := map[time.Duration]bool{}
			for range 2000 {
				d := c.latency.Sample(r)
				require.GreaterOrEqual(t, d, c.low)
				require.LessOrEqual(t, d, c.high)
				seen[d] = true
			}
			if c.high-c.low <= 1 {
				require.Len(t, seen, int(c.high-c.low)+1, "both ends are drawn")
			} else {
				require.Greater(t, len(seen), 1)
			}
		})
	}
}

func TestLatencyNames(t *testing.T) {
	for want, l := range map[string]Distribution{
		"Fixed(3ms)":                  Fixed(3 * time.Millisecond),
		"Uniform(1ms, 3ms)":           Uniform(time.Millisecond, 3*time.Millisecond),
		"Exponential(3ms)":            Exponential(3 * time.Millisecond),
		"Normal(3ms, 1ms)":            Normal(3*time.Millisecond, time.Millisecond),
		"LogNormal(3ms, 20ms)":        LogNormal(3*time.Millisecond, 20*time.Millisecond),
		"Pareto(3ms, 1.5)":            Pareto(3*time.Millisecond, 1.5),
		"Mix(0.9×Fixed(1ms), 2×none)": Mix(Share{0.9, Fixed(time.Millisecond)}, Share{Weight: 2}),
		"Observed(2 samples)":         Observed([]time.Duration{1, 2}),
		"ObservedHistogram(2 samples, 1µs)": ObservedHistogram(histogramOf(t, 1, 9),
			time.Microsecond),
		"mine": Func("mine", func(*rand.Rand) time.Duration { return 1 }),
	} {
		require.Equal(t, want, l.String())
		require.NoError(t, l.Err())
	}
}

func TestPick(t *testing.T) {
	values := []weighted[string]{{1, "a"}, {3, "b"}, {4, "c"}}
	for x, want := range map[float64]string{0: "a", 0.99: "a", 1: "b", 2: "b", 2.99: "b", 3: "c", 3.99: "c", 4: "c"} {
		require.Equal(t, want, pick(values, x), x)
	}
}

// TestLatencyCopiesItsSources changes what a Latency was made from.
func TestLatencyCopiesItsSources(t *testing.T) {
	samples := []time.Duration{7}
	shares := []Share{{1, Fixed(7)}}
	h := histogramOf(t, 7)
	for _, l := range []Distribution{Observed(samples), Mix(shares...), ObservedHistogram(h, 1)} {
		samples[0], shares[0] = 9, Share{1, Fixed(9)}
		h.Reset()
		require.EqualValues(t, 7, l.Sample(tb.NewStream(1, "").Rand()), l)
		samples[0], shares[0] = 7, Share{1, Fixed(7)}
		require.NoError(t, h.RecordValue(7))
	}
}

// TestLatencyConcurrent shares one Latency of each kind between goroutines: each
// must draw what it draws alone.
func TestLatencyConcurrent(t *testing.T) {
	draw := func(l Distribution) (all [200]time.Duration) {
		r := tb.NewStream(7, "concurrent").Rand()
		for i := range all {
			all[i] = l.Sample(r)
		}
		return all
	}
	for _, d := range theories(t) {
		alone := draw(d.latency)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if draw(d.latency) != alone {
					t.Errorf("%v: draws differ in another goroutine", d.latency)
				}
			})
		}
		wg.Wait()
	}
}

func TestLatencySampleAllocatesNothing(t *testing.T) {
	for _, d := range theories(t) {
		r := tb.NewStream(1, "").Rand()
		require.Zero(t, testing.AllocsPerRun(100, func() { d.latency.Sample(r) }), d.latency)
	}
}

// FuzzLatency gives every constructor any parameters: it either names an error
// or draws without panic, never below zero, and the same twice.
func FuzzLatency(f *testing.F) {
	f.Add(int64(3e6), int64(20e6), 1.5, 0.5, uint64(1))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), math.SmallestNonzeroFloat64, math.MaxFloat64, uint64(2))
	f.Add(int64(-1), int64(0), math.NaN(), math.Inf(1), uint64(3))
	f.Add(int64(1), int64(math.MaxInt64), math.Inf(-1), math.Copysign(0, -1), uint64(4))
	f.Fuzz(func(t *testing.T, a, b int64, x, y float64, seed uint64) {
		p, q := time.Duration(a), time.Duration(b)
		h := hdrhistogram.New(1, math.MaxInt64/2, 3)
		_ = h.RecordValue(a) // out of its range: no sample
		for _, l := range []Distribution{
			Fixed(p), Uniform(p, q), Exponential(p), Normal(p, q), LogNormal(p, q), Pareto(p, x),
			Mix(Share{x, Fixed(p)}, Share{y, Uniform(p, q)}, Share{1, Distribution{}}),
			Observed([]time.Duration{p, q}), ObservedHistogram(h, q),
		} {
			first, second := tb.NewStream(seed, "fuzz").Rand(), tb.NewStream(seed, "fuzz").Rand()
			for range 20 {
				d := l.Sample(first)
				require.Equal(t, d, l.Sample(second), l)
				require.GreaterOrEqual(t, d, time.Duration(0), l)
				if l.Err() != nil {
					require.Zero(t, d, l)
				}
			}
		}
	})
}

func histogramOf(t testing.TB, values ...int64) *hdrhistogram.Histogram {
	h := hdrhistogram.New(1, int64(time.Hour), 3)
	for _, v := range values {
		require.NoError(t, h.RecordValue(v), fmt.Sprint(v))
	}
	return h
}
