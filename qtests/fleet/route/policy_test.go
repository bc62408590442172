package route

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// balancerOf returns a balancer of n targets called 0, 1, 2, … in the zones, in turn.
func balancerOf(t *testing.T, cfg Config, n int, zones ...string) *Balancer {
	t.Helper()
	b, err := New(cfg)
	require.NoError(t, err)
	for i := range n {
		zone := ""
		if len(zones) > 0 {
			zone = zones[i%len(zones)]
		}
		_, err := b.Add(strconv.Itoa(i), zone, 1)
		require.NoError(t, err)
	}
	return b
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// throw picks n times without an end, and returns the largest number of requests at one target.
func throw(t *testing.T, b *Balancer, n int) (most int) {
	t.Helper()
	for range n {
		target, err := b.Pick(start, Request{})
		require.NoError(t, err)
		most = max(most, target.Active)
	}
	return most
}

func TestRoundRobinTakesEachInTurn(t *testing.T) {
	b := balancerOf(t, Config{}, 3)
	var got []string
	pick := func(n int) {
		for range n {
			target, err := b.Pick(start, Request{})
			require.NoError(t, err)
			got = append(got, target.ID)
		}
	}
	pick(4)
	b.Remove("1")
	pick(3)
	_, err := b.Add("9", "", 1)
	require.NoError(t, err)
	pick(3)
	require.Equal(t, []string{"0", "1", "2", "0", "2", "0", "2", "9", "0", "2"}, got)
}

// n balls into n bins, at random: the fullest bin has about ln n / ln ln n of them; with the better of two bins log2 ln n + O(1).
func TestBallsIntoBins(t *testing.T) {
	const n, rounds = 1000, 20
	mean := func(policy Policy) float64 {
		sum := 0
		for seed := range uint64(rounds) {
			sum += throw(t, balancerOf(t, Config{Policy: policy, Rand: seeded(seed)}, n), n)
		}
		return float64(sum) / rounds
	}
	random, two := mean(Random), mean(PowerOfTwo)
	// The expectation for n = 1000, from the product form of the Poisson approximation.
	expected := 0.0
	for k := 1; k < 20; k++ {
		below := 0.0
		for j := range k {
			below += math.Exp(-1) / math.Gamma(float64(j+1))
		}
		expected += 1 - math.Pow(below, n)
	}
	require.InDelta(t, expected, random, 0.5)
	require.LessOrEqual(t, two, math.Log2(math.Log(n))+1)
	require.Equal(t, 1, throw(t, balancerOf(t, Config{Policy: LeastRequests, Rand: seeded(1)}, n), n))
}

// Least requests draws among equals: no target is preferred.
func TestLeastRequestsDrawsAmongEquals(t *testing.T) {
	const n, picks = 4, 8000
	b := balancerOf(t, Config{Policy: LeastRequests, Rand: seeded(3)}, n)
	count := map[string]int{}
	for range picks {
		target, err := b.Pick(start, Request{})
		require.NoError(t, err)
		count[target.ID]++
		b.Done(start, target, time.Millisecond, 200)
	}
	chi := 0.0
	for i := range n {
		d := float64(count[strconv.Itoa(i)]) - picks/n
		chi += d * d / (picks / n)
	}
	require.Less(t, chi, 16.27, "chi square of three degrees of freedom, at 0.999")
}

func TestWeights(t *testing.T) {
	for name, policy := range map[string]Policy{"weighted": Weighted, "least requests": LeastRequests} {
		b, err := New(Config{Policy: policy, Rand: seeded(1)})
		require.NoError(t, err)
		for id, w := range map[string]float64{"one": 1, "two": 2, "five": 5} {
			_, err := b.Add(id, "", w)
			require.NoError(t, err)
		}
		for range 800 {
			_, err := b.Pick(start, Request{})
			require.NoError(t, err)
		}
		for id, want := range map[string]int{"one": 100, "two": 200, "five": 500} {
			require.InDelta(t, want, b.Target(id).Active, 1, "%s: %s", name, id)
		}
	}
}

// Smooth weighted round robin spreads: 5, 1, 1 gives no run of five.
func TestWeightedIsSmooth(t *testing.T) {
	b, err := New(Config{Policy: Weighted})
	require.NoError(t, err)
	for i, id := range []string{"a", "b", "c"} {
		_, err := b.Add(id, "", []float64{5, 1, 1}[i])
		require.NoError(t, err)
	}
	got := ""
	for range 7 {
		target, err := b.Pick(start, Request{})
		require.NoError(t, err)
		got += target.ID
	}
	require.Equal(t, "aabacaa", got)
}

// A target that answers ten times as slowly gets few requests, and more again when it is well.
func TestPeakEWMA(t *testing.T) {
	b := balancerOf(t, Config{Policy: PeakEWMA(0), Rand: seeded(1)}, 4)
	now := start
	run := func(slow time.Duration) (share float64) {
		hits := 0
		for range 4000 {
			target, err := b.Pick(now, Request{})
			require.NoError(t, err)
			latency := 10 * time.Millisecond
			if target.ID == "0" {
				latency = slow
				hits++
			}
			now = now.Add(10 * time.Millisecond)
			b.Done(now, target, latency, 200)
		}
		return float64(hits) / 4000
	}
	require.Less(t, run(100*time.Millisecond), 0.08)
	require.InDelta(t, 0.25, run(10*time.Millisecond), 0.1)
}

func TestPeakRisesAtOnceAndFallsByTheDecay(t *testing.T) {
	var e ewma
	e.observe(start, 10*time.Millisecond, 10*time.Second)
	require.InDelta(t, 10e6, e.nanos, 1)
	e.observe(start, 50*time.Millisecond, 10*time.Second)
	require.InDelta(t, 50e6, e.nanos, 1)
	w := math.Exp(-1)
	e.observe(start.Add(10*time.Second), 10*time.Millisecond, 10*time.Second)
	require.InDelta(t, 50e6*w+10e6*(1-w), e.nanos, 1)
	require.InDelta(t, (50e6*w+10e6*(1-w))*w, e.fall(start.Add(20*time.Second), 10*time.Second), 1)
	e = ewma{}
	e.observe(start, 0, time.Second)
	require.Zero(t, e.nanos, "no time at all is no latency")
}

func TestCosts(t *testing.T) {
	x := &Target{Active: 2, Weight: 2}
	require.Equal(t, 1.5, x.load())
	x.cost.observe(start, 10*time.Millisecond, DefaultDecay)
	require.Equal(t, 15e6, peak{decay: DefaultDecay}.cost(start, x))
}

// Of targets that have answered nothing, the one with fewer requests is the better one.
func TestPeakEWMASpreadsOverTheUnknown(t *testing.T) {
	b := balancerOf(t, Config{Policy: PeakEWMA(0), Rand: seeded(1)}, 2)
	require.Equal(t, 50, throw(t, b, 100))
}

// A target with a request and no measurement is the last choice.
func TestPeakEWMAKeepsOffTheUnknown(t *testing.T) {
	b := balancerOf(t, Config{Policy: PeakEWMA(time.Second), Rand: seeded(1)}, 2)
	first, err := b.Pick(start, Request{})
	require.NoError(t, err)
	second, err := b.Pick(start, Request{})
	require.NoError(t, err)
	require.NotEqual(t, first.ID, second.ID)
	b.Done(start, first, time.Hour, 200)
	third, err := b.Pick(start, Request{})
	require.NoError(t, err)
	require.Equal(t, first.ID, third.ID, "an hour is less than unknown")
}
