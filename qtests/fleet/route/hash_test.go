package route

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// place returns where each key goes while no request is active.
func place(t *testing.T, b *Balancer, keys int) (at []string) {
	t.Helper()
	for k := range keys {
		target, err := b.Pick(start, Request{Key: KeyOf(strconv.Itoa(k))})
		require.NoError(t, err)
		at = append(at, target.ID)
		b.Done(start, target, time.Millisecond, 200)
	}
	return at
}

// Of n+1 targets a new one takes 1/(n+1) of the keys, and no key moves between the others.
func TestHashMovesTheLeastKeys(t *testing.T) {
	const n, keys = 10, 20_000
	b := balancerOf(t, Config{Policy: Hash(-1)}, n)
	before := place(t, b, keys)
	_, err := b.Add("new", "", 1)
	require.NoError(t, err)
	with := place(t, b, keys)
	moved := 0
	for k := range keys {
		if with[k] != before[k] {
			moved++
			require.Equal(t, "new", with[k])
		}
	}
	share := 1.0 / (n + 1)
	require.InDelta(t, share, float64(moved)/keys, 4*math.Sqrt(share*(1-share)/keys), "four standard deviations")
	b.Remove("new")
	require.Equal(t, before, place(t, b, keys), "they come back")
	b.Remove("3")
	for k, id := range place(t, b, keys) {
		if before[k] != "3" {
			require.Equal(t, before[k], id)
		}
	}
}

func TestHashHeedsWeights(t *testing.T) {
	const keys = 20_000
	b := balancerOf(t, Config{Policy: Hash(-1)}, 2)
	b.Target("1").Weight = 3
	heavy := 0
	for _, id := range place(t, b, keys) {
		if id == "1" {
			heavy++
		}
	}
	require.InDelta(t, 0.75, float64(heavy)/keys, 4*math.Sqrt(0.75*0.25/keys))

	b, light := balancerOf(t, Config{Policy: Hash(-1)}, 3), 0
	b.Target("1").Weight, b.Target("2").Weight = 2, 5
	for _, id := range place(t, b, keys) {
		if id == "0" {
			light++
		}
	}
	require.InDelta(t, 1./8, float64(light)/keys, 4*math.Sqrt(1./8*7/8/keys))
}

// Of active requests a target may have 1+bound times the part of its weight.
func TestHashBoundsLoadsByWeight(t *testing.T) {
	for key := range uint64(20) {
		b := balancerOf(t, Config{Policy: Hash(0)}, 2)
		b.Target("1").Weight = 3
		for range 400 {
			_, err := b.Pick(start, Request{Key: key})
			require.NoError(t, err)
		}
		require.LessOrEqual(t, b.Target("0").Active, 125, "key %d", key)
		require.LessOrEqual(t, b.Target("1").Active, 375, "key %d", key)
	}
}

// No target ever holds more than ceil((1+ε)(m+1)/n), even where all requests have one key.
func TestHashBoundsLoads(t *testing.T) {
	const n = 7
	for _, bound := range []float64{0.01, 0, 1} {
		epsilon := bound
		if bound == 0 {
			epsilon = DefaultBound
		}
		b := balancerOf(t, Config{Policy: Hash(bound)}, n)
		for m := range 500 {
			target, err := b.Pick(start, Request{Key: 42})
			require.NoError(t, err)
			require.LessOrEqual(t, target.Active, int(math.Ceil((1+epsilon)*float64(m+1)/n)), "bound %v, request %d", bound, m)
		}
	}
	// Of one key, one of two targets has ceil(1.25 · active / 2) at most, and takes all that it may.
	pair, got := balancerOf(t, Config{Policy: Hash(0)}, 2), ""
	for range 6 {
		target, err := pair.Pick(start, Request{Key: 42})
		require.NoError(t, err)
		got += target.ID
	}
	require.Equal(t, strings.ReplaceAll("AABAAB", "A", got[:1]), strings.ReplaceAll(got, map[string]string{"0": "1", "1": "0"}[got[:1]], "B"))
	free := balancerOf(t, Config{Policy: Hash(-1)}, n)
	for range 500 {
		_, err := free.Pick(start, Request{Key: 42})
		require.NoError(t, err)
	}
	require.Equal(t, 500, func() int { x, _ := free.Pick(start, Request{Key: 42}); return x.Active - 1 }())
}
