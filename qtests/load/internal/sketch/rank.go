package sketch

import (
	"math"
	"math/bits"
)

// RankOf returns the rank of the nearest-rank percentile p of n values: ceil(p/100 * n),
// at least 1. p is read to six decimals. It is computed in integers, because in floating
// point 99.9 % of 1000 is rounded up to rank 1000.
func RankOf(p float64, n uint64) uint64 {
	if math.IsNaN(p) {
		p = 100
	}
	const whole = 100_000_000
	part := uint64(math.Round(min(max(p, 0), 100) * 1e6))
	hi, lo := bits.Mul64(part, n)
	rank, rest := bits.Div64(hi, lo, whole)
	if rest > 0 {
		rank++
	}
	return max(rank, 1)
}
