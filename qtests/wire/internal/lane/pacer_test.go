package lane

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPacerIsExact up to any number of bytes: the last of n passes n/rate after the first came, rounded up to a nanosecond.
func TestPacerIsExact(t *testing.T) {
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, rate := range []int64{1000, 1 << 20, 1e9, 1e9 + 7, 1 << 40, 3 << 50} {
		for _, n := range []int64{1, 1460, 1<<34 + 1, 18446744073, 18446744074, 1 << 40, 1 << 50} {
			want := new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(time.Second)))
			want.Add(want, big.NewInt(rate-1)).Div(want, big.NewInt(rate))
			if !want.IsInt64() {
				continue // more than 292 years
			}
			p := pacer{rate: rate}
			require.Equal(t, time.Duration(want.Int64()), p.pass(began, int(n)).Sub(began), "%d bytes at %d a second", n, rate)
		}
	}
}
