package query

import (
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// A bucket is one of a classic histogram's, with a cumulative count.
type bucket struct{ upper, count float64 }

// histogramQuantile groups the buckets of its argument by the labels other than
// le. An element without le, or with one that is no number, is left out.
func histogramQuantile(ev *evaluation, args []node) (value, error) {
	q, err := args[0].eval(ev)
	if err != nil {
		return value{}, err
	}
	v, err := args[1].eval(ev)
	if err != nil {
		return value{}, err
	}
	type histogram struct {
		labels  history.Labels
		place   int
		buckets []bucket
	}
	byKey := map[string]*histogram{}
	var order []*histogram
	for _, p := range v.vector {
		upper, err := strconv.ParseFloat(p.Labels.Get("le"), 64)
		if err != nil {
			continue
		}
		id := ev.withoutLe.Of(p.Labels, func(ls history.Labels) keyed { return keyedOf(ls.Without("le")) })
		h, ok := byKey[id.key]
		if !ok {
			h = &histogram{labels: id.labels, place: p.place}
			byKey[id.key] = h
			order = append(order, h)
		}
		h.buckets = append(h.buckets, bucket{upper, p.Value})
	}
	out := make([]Point, len(order))
	for i, h := range order {
		out[i] = Point{h.labels, bucketQuantile(q.scalar, h.buckets), h.place}
	}
	return nameless(out)
}

// bucketQuantile interpolates linearly inside the bucket in which the rank
// q*count falls, the lowest beginning at 0 if its upper bound is positive. In the
// highest bucket, which must be +Inf, it returns the upper bound below.
//
// Source: BucketQuantile in Prometheus' promql/quantile.go.
func bucketQuantile(q float64, buckets []bucket) float64 {
	switch {
	case math.IsNaN(q):
		return math.NaN()
	case q < 0:
		return math.Inf(-1)
	case q > 1:
		return math.Inf(1)
	}
	slices.SortStableFunc(buckets, func(a, b bucket) int {
		switch {
		case a.upper < b.upper:
			return -1
		case a.upper > b.upper:
			return 1
		}
		return 0
	})
	if len(buckets) == 0 || !math.IsInf(buckets[len(buckets)-1].upper, 1) {
		return math.NaN()
	}
	buckets = monotonic(coalesce(buckets))
	last := len(buckets) - 1
	if last < 1 || buckets[last].count == 0 {
		return math.NaN()
	}
	rank := q * buckets[last].count
	b := sort.Search(last, func(i int) bool { return buckets[i].count >= rank })
	switch {
	case b == last:
		return buckets[last-1].upper
	case b == 0 && buckets[0].upper <= 0:
		return buckets[0].upper
	case b == 0:
		return buckets[0].upper * (rank / buckets[0].count)
	}
	below := buckets[b-1]
	return below.upper + (buckets[b].upper-below.upper)*((rank-below.count)/(buckets[b].count-below.count))
}

// coalesce adds up the buckets of one upper bound.
func coalesce(buckets []bucket) []bucket {
	out := buckets[:1]
	for _, b := range buckets[1:] {
		if last := &out[len(out)-1]; b.upper == last.upper {
			last.count += b.count
		} else {
			out = append(out, b)
		}
	}
	return out
}

// tolerance is the relative difference between the counts of neighbouring
// buckets that counts as a rounding error.
const tolerance = 1e-12

// monotonic removes decreases, and increases within tolerance, in place: the
// buckets are sums of rates, rounded each on its own.
func monotonic(buckets []bucket) []bucket {
	previous := buckets[0].count
	for i := 1; i < len(buckets); i++ {
		if c := buckets[i].count; c < previous || almostEqual(previous, c) {
			buckets[i].count = previous
		} else {
			previous = c
		}
	}
	return buckets
}

// almostEqual compares relative to the sum of the magnitudes, and absolutely
// where that is nearly zero.
func almostEqual(a, b float64) bool {
	if math.IsNaN(a) && math.IsNaN(b) || a == b {
		return true
	}
	const smallest = 0x1p-1022
	sum, diff := math.Abs(a)+math.Abs(b), math.Abs(a-b)
	if a == 0 || b == 0 || sum < smallest {
		return diff < tolerance*smallest
	}
	return diff/math.Min(sum, math.MaxFloat64) < tolerance
}
