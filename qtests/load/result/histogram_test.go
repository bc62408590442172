package result

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
)

func TestHistogramAgainstSortedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		var h Histogram
		var all []time.Duration
		for range 1 + r.IntN(3000) {
			d := time.Duration(math.Exp(r.Float64()*25)) * time.Microsecond
			d = min(d, LongestDuration)
			h.Record(d)
			all = append(all, d)
		}
		slices.Sort(all)
		require.Equal(t, all[0], h.Min())
		require.Equal(t, all[len(all)-1], h.Max())
		for _, p := range []float64{0, 1, 50, 90, 99, 99.9, 100} {
			rank := max(int(math.Ceil(p/100*float64(len(all))-1e-9)), 1)
			want, got := all[rank-1], h.Percentile(p)
			require.GreaterOrEqual(t, got, want)
			require.LessOrEqual(t, float64(got), float64(want)*(1+1.0/1024))
			require.True(t, slices.Contains(all, got), "a percentile is a value that was recorded")
		}
		text, err := json.Marshal(h)
		require.NoError(t, err)
		var again Histogram
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, h, again)
		var merged Histogram
		merged.Merge(&h)
		merged.Merge(&h)
		require.Equal(t, 2*h.Count(), merged.Count())
		require.Equal(t, h.Percentile(95), merged.Percentile(95))
		require.Equal(t, h.Mean(), merged.Mean())
		require.Equal(t, h.Min(), merged.Min())
	}
}

// TestHistogramHasTheBucketsOfHDR holds the layout against the library's.
func TestHistogramHasTheBucketsOfHDR(t *testing.T) {
	hdr := hdrhistogram.New(1, LongestDuration.Microseconds(), 3)
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		v := uint64(r.Int64N(1 << (1 + r.IntN(36))))
		if v >= uint64(LongestDuration.Microseconds()) {
			continue
		}
		low := lowestOf(bucketOf(v))
		require.True(t, hdr.ValuesAreEquivalent(int64(v), int64(low)))
		require.LessOrEqual(t, low, v)
		require.Equal(t, bucketOf(v), bucketOf(low))
		if low > 0 {
			require.False(t, hdr.ValuesAreEquivalent(int64(v), int64(low-1)))
		}
	}
}

func TestRankIsExact(t *testing.T) {
	for _, tt := range []struct {
		p       float64
		n, want uint64
	}{{99.9, 1000, 999}, {99.9, 1001, 1000}, {50, 2, 1}, {50, 3, 2}, {0, 10, 1}, {100, 10, 10}, {99.99, 10_000, 9999}, {101, 5, 5}, {-1, 5, 1}, {99, math.MaxInt64, 9131138316486228049}} {
		require.Equal(t, tt.want, RankOf(tt.p, tt.n), "%v of %d", tt.p, tt.n)
	}
}

func TestHistogramRejectsBadJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"unit":"ms"}`:                                           "unit",
		`{"unit":"us","buckets":[[5,1],[4,1]]}`:                   "not in order",
		`{"unit":"us","buckets":[[5,0]]}`:                         "no valid count",
		`{"unit":"us","buckets":[[99999999999999,1]]}`:            "is over 24h",
		`{"unit":"us","buckets":[[1,9223372036854775808]]}`:       "no valid count",
		`{"unit":"us","buckets":[[1,9223372036854775807],[2,1]]}`: "no valid count",
	} {
		require.ErrorContains(t, json.Unmarshal([]byte(text), new(Histogram)), want)
	}
}

func TestHistogramReset(t *testing.T) {
	var h Histogram
	for _, d := range []time.Duration{0, 7 * time.Microsecond, time.Second, time.Hour} {
		h.Record(d)
		h.Record(d + 5*time.Millisecond)
		h.Reset()
		require.Zero(t, h.Count()+int64(h.Max())+int64(h.Min())+int64(h.Mean()))
		require.Equal(t, make([]uint64, len(h.counts)), h.counts)
		require.Equal(t, make([]uint32, len(h.tops)), h.tops)
	}
}

func TestHistogramGrowsFromFewBuckets(t *testing.T) {
	var h Histogram
	for v, size := range map[time.Duration]int{0: fewest, fewest - 1: fewest, fewest: halfSize, halfSize - 1: halfSize, halfSize: 2 * halfSize} {
		one := Histogram{}
		one.Record(v * time.Microsecond)
		h.Record(v * time.Microsecond)
		require.Len(t, one.counts, size, v)
		require.Equal(t, v*time.Microsecond, one.Percentile(50))
	}
	require.EqualValues(t, 5, h.Count())
	require.Equal(t, (fewest-1)*time.Microsecond, h.Percentile(40))
}
