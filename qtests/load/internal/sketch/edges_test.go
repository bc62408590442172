package sketch

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The nearest rank is the smallest that has p percent at or below it, computed without rounding.
func TestRankOf(t *testing.T) {
	for _, x := range []struct {
		p    float64
		n    uint64
		want uint64
	}{
		{0, 5, 1}, {-1, 5, 1}, {50, 4, 2}, {50, 5, 3}, {100, 5, 5}, {150, 5, 5}, {math.NaN(), 5, 5}, {50, 0, 1},
		{99.9, 1000, 999}, {99.99, 1000, 1000}, {99.9999, 1e6, 999_999}, {0.000001, 1e8, 1}, {0.000001, 1e8 + 1, 2}, {100, math.MaxUint64, math.MaxUint64},
	} {
		require.Equal(t, x.want, RankOf(x.p, x.n), "%v of %d", x.p, x.n)
	}
}

// Each bucket ends where the next one begins.
func TestBucketsAreSideBySide(t *testing.T) {
	most := sketchBucket(uint64(Longest / time.Microsecond))
	for b := range most {
		require.Equal(t, b, sketchBucket(sketchTop(b)), b)
		require.Equal(t, b+1, sketchBucket(sketchTop(b)+1), b)
	}
}

func TestASketchIsSmall(t *testing.T) {
	var s Sketch
	s.Record(time.Second)
	require.Len(t, s.counts, 512, "2 KiB up to one second")
	var merged Sketch
	merged.Record(0)
	merged.Merge(&s)
	require.Len(t, merged.counts, 512)
}

func TestFewDurations(t *testing.T) {
	var s, other, none Sketch
	for _, micros := range []time.Duration{0, 31, 32, 32, 63} { // each is the first of more buckets, or the last
		s.Record(micros * time.Microsecond)
	}
	for p, want := range map[float64]time.Duration{0: 0, 20: 0, 21: 31, 40: 31, 41: 32, 80: 32, 81: 63, 100: 63} {
		require.Equal(t, want*time.Microsecond, s.Percentile(p), p)
	}
	var each []string
	s.Each(func(top time.Duration, n int64) { each = append(each, fmt.Sprint(top, " ", n)) })
	require.Equal(t, []string{"0s 1", "31µs 1", "32µs 2", "63µs 1"}, each)
	require.Equal(t, [3]int64{4, 5, 5}, s.Figures(&s).Within)
	require.Equal(t, Figures{}, none.Figures(&none))

	other.Record(40 * time.Microsecond)
	other.Record(70 * time.Microsecond)
	require.Equal(t, 40*time.Microsecond, other.Percentile(50), "the smallest")
	low, high := s, other
	high.counts = append([]uint32(nil), other.counts...)
	high.Merge(&s)
	low.counts = append([]uint32(nil), s.counts...)
	low.Merge(&other)
	none.Merge(&other)
	require.Equal(t, []uint64{0, 0, 40}, []uint64{low.min, high.min, none.min})
	require.Equal(t, [3]int64{0, 2, 2}, other.Figures(&low).Within)
	require.Equal(t, [3]int64{4, 5, 5}, s.Figures(&low).Within)
}

// What a bucket may have at the most, and what it may not.
func TestBoundsOfWhatIsRead(t *testing.T) {
	longest := sketchBucket(uint64(Longest / time.Microsecond))
	for text, ok := range map[string]bool{
		fmt.Sprintf(`{"buckets":[[%d,1]]}`, longest):   true,
		fmt.Sprintf(`{"buckets":[[%d,1]]}`, longest+1): false,
		`{"buckets":[[0,4294967295]]}`:                 true,
		`{"buckets":[[0,4294967296]]}`:                 false,
		`{"buckets":[[0,0]]}`:                          false,
		`{"buckets":[[3,1],[3,1]]}`:                    false,
		`{"buckets":[[3,1],[2,1]]}`:                    false,
		`{"buckets":[[2,1],[3,1]]}`:                    true,
		`{"buckets":[["a",1]]}`:                        false,
	} {
		require.Equal(t, ok, json.Unmarshal([]byte(text), new(Sketch)) == nil, text)
	}
	for text, ok := range map[string]bool{
		`[{"top":1,"count":1},{"top":2,"count":9223372036854775806}]`: true,
		`[{"top":1,"count":1},{"top":2,"count":9223372036854775807}]`: false,
		`[{"top":1,"count":1},{"top":1.0001,"count":1}]`:              false,
		`[{"top":1,"count":0}]`:                                       false,
		`[{"top":"a"}]`:                                               false,
	} {
		require.Equal(t, ok, json.Unmarshal([]byte(text), new(Spread)) == nil, text)
	}
	var s Spread
	require.NoError(t, json.Unmarshal([]byte(`[{"top":-2,"count":2},{"top":0,"count":1},{"top":7,"count":1}]`), &s))
	for p, want := range map[float64]float64{0: -2, 50: -2, 51: 0, 75: 0, 76: 7, 100: 7} {
		require.Equal(t, want, s.Percentile(p), p)
	}
}
