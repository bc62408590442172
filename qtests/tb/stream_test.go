package tb

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStreams(t *testing.T) {
	draw := func(s Stream) [3]uint64 {
		r := s.Rand()
		return [3]uint64{r.Uint64(), r.Uint64(), r.Uint64()}
	}
	a, b := NewStream(1, "a"), NewStream(1, "b")
	require.Equal(t, draw(a), draw(NewStream(1, "a")), "a stream depends on seed and name alone")
	seen := map[uint64]string{}
	add := func(name string, s Stream) {
		for _, x := range draw(s) {
			require.NotContains(t, seen, x, "%s repeats %s", name, seen[x])
			seen[x] = name
		}
	}
	add("a", a)
	add("b", b)
	add("seed 2", NewStream(2, "a"))
	add("below a", a.Sub("b"))
	add("below b", b.Sub("a"))
	for i := range uint64(1000) {
		require.Equal(t, a.At(i).Uint64(), a.At(i).Uint64())
		x := a.At(i).Uint64()
		require.NotContains(t, seen, x)
		seen[x] = "at"
	}
	// Neighbouring seeds and indices must not look alike: the mean of the top
	// bit over many of them is one half, within four standard errors.
	ones := 0
	const n = 40_000
	for i := range uint64(n / 2) {
		ones += int(NewStream(i, "x").Rand().Uint64()>>63) + int(a.At(i).Uint64()>>63)
	}
	require.InDelta(t, n/2, ones, 4*100) // sqrt(n)/2 = 100
}
