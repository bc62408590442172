package breaker

import (
	"math"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/stretchr/testify/require"
)

func TestBackoffStaysWithinItsLimit(t *testing.T) {
	const us = time.Microsecond
	for name, b := range map[string]backoff{
		"rounding up":                {base: 1400, limit: 1499, factor: 1.07},
		"less than a microsecond":    {base: 1, limit: 1, factor: 1, jitter: 1},
		"jitter":                     {base: time.Second, limit: time.Second + 300, factor: 1, jitter: 0.5},
		"jitter of what is over it":  {base: time.Second, limit: 2 * time.Second, factor: 10, jitter: 0.5},
		"jitter of infinity":         {base: time.Hour, limit: math.MaxInt64, factor: math.MaxFloat64, jitter: 1},
		"no limit":                   {base: math.MaxInt64, limit: math.MaxInt64, factor: 2},
		"no limit, and jitter":       {base: math.MaxInt64, limit: math.MaxInt64, factor: 2, jitter: 1},
		"the largest that is not it": {base: math.MaxInt64 - 500, limit: math.MaxInt64 - 100, factor: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b.stream = tb.NewStream(1, name)
			for reopened := range 50 {
				for _, d := range []time.Duration{b.wait(reopened, uint64(reopened)), b.asked(b.limit, 1), b.asked(b.base, 2)} {
					require.Positive(t, d)
					require.LessOrEqual(t, d, b.limit)
				}
				require.GreaterOrEqual(t, b.asked(b.base, uint64(reopened)), b.base)
			}
		})
	}
	require.Equal(t, time.Second+300, backoff{base: time.Second, limit: time.Second + 300, factor: 2}.wait(1, 1))
	require.Equal(t, 2*us, backoff{base: us, limit: time.Second, factor: 1.6}.wait(1, 1), "to the microsecond")
	require.Equal(t, us, backoff{base: 10, limit: time.Second, factor: 2}.wait(1, 1), "and not to nothing")
	require.Equal(t, time.Duration(10), backoff{base: 10, limit: time.Second, factor: 2}.wait(0, 1), "the first is what was asked for")
}

// At the limit, too, the waits differ: otherwise replicas would probe in step.
func TestJitterIsSpreadAtTheLimit(t *testing.T) {
	b := backoff{base: time.Second, limit: 10 * time.Second, factor: 100, jitter: 0.5, stream: tb.NewStream(1, "limit")}
	seen, low, high := map[time.Duration]bool{}, b.limit, time.Duration(0)
	for i := range uint64(1000) {
		d := b.wait(1, i)
		seen[d], low, high = true, min(low, d), max(high, d)
	}
	require.Greater(t, len(seen), 990)
	require.GreaterOrEqual(t, low, 5*time.Second)
	require.Less(t, low, 5100*time.Millisecond)
	require.Greater(t, high, 9900*time.Millisecond)
}

func TestElapsed(t *testing.T) {
	const most = math.MaxInt64
	for _, tc := range []struct{ from, to, want time.Duration }{
		{1, 3, 2}, {3, 3, 0}, {3, 1, 0}, {-1, 1, 2}, {0, most, most}, {-1, most, never}, {math.MinInt64, most, never}, {most, math.MinInt64, 0},
		{math.MinInt64, -1, most}, {-5, -3, 2},
	} {
		require.Equal(t, tc.want, elapsed(tc.from, tc.to), "%d to %d", tc.from, tc.to)
	}
	require.Equal(t, time.Duration(most), saturatingAdd(1, most))
	require.Equal(t, time.Duration(most), saturatingAdd(1, most-1))
}
