package load

import (
	"testing"
	"time"
)

func BenchmarkHistogramRecord(b *testing.B) {
	var h Histogram
	for i := 0; b.Loop(); i++ {
		h.Record(time.Duration(i%100_000) * time.Microsecond)
	}
}

func BenchmarkHistogramPercentile(b *testing.B) {
	var h Histogram
	for i := range 1_000_000 {
		h.Record(time.Duration(i%100_000) * time.Microsecond)
	}
	for b.Loop() {
		_ = h.Percentile(99)
	}
}

func BenchmarkSchedule(b *testing.B) {
	c := newCurve(time.Second, Rate(0).To(20_000, 2*time.Hour).pieces())
	src := &even{curve: c}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := src.next(); !ok {
			src.k = 0
		}
	}
}
