package otel

import (
	"fmt"
	"math"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// The scales that native histograms have.
const minScale, maxScale = -4, 8

func native[N int64 | float64](f family, h metricdata.ExponentialHistogram[N]) error {
	if err := cumulative(h.Temporality); err != nil {
		return err
	}
	for _, p := range h.DataPoints {
		if p.Scale < minScale {
			return fmt.Errorf("an exponential histogram of scale %d; a native one has %d at least", p.Scale, minScale)
		}
		coarser := max(0, p.Scale-maxScale)
		positive, err := buckets(p.PositiveBucket, coarser)
		if err != nil {
			return err
		}
		negative, err := buckets(p.NegativeBucket, coarser)
		if err != nil {
			return err
		}
		desc, values := f.desc(p.Attributes)
		m, err := prometheus.NewConstNativeHistogram(desc, p.Count, float64(p.Sum), positive, negative, p.ZeroCount, p.Scale-coarser, p.ZeroThreshold,
			start(p.StartTime), values...)
		if err := send(f, m, err, p.Exemplars); err != nil {
			return err
		}
	}
	return nil
}

// buckets counts by the numbers of native buckets, of a scale that is coarser by some
// powers of two. An exponential bucket has the number of its lower bound, a native one
// the number of its upper bound, one more.
func buckets(b metricdata.ExponentialBucket, coarser int32) (map[int]int64, error) {
	out := map[int]int64{}
	for i, n := range b.Counts {
		if n > math.MaxInt64 {
			return nil, fmt.Errorf("a bucket of %d", n)
		}
		out[(int(b.Offset)+i)>>coarser+1] += int64(n)
	}
	return out, nil
}
