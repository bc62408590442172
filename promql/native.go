package promql

import (
	"errors"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// A point is a sample for the engine: a number, a histogram of counts, or one of floats.
type point struct {
	t  int64
	v  float64
	h  *histogram.Histogram
	fh *histogram.FloatHistogram
}

func pointOf(x monitor.Sample) point {
	p := point{t: x.At.UnixMilli(), v: x.Value}
	if x.Histogram != nil {
		p.h, p.fh = histogramOf(x.Histogram)
	}
	return p
}

func (p point) ST() int64               { return 0 }
func (p point) T() int64                { return p.t }
func (p point) F() float64              { return p.v }
func (p point) H() *histogram.Histogram { return p.h }
func (p point) Copy() chunks.Sample     { return p }

// FH is the histogram in floats, whichever it is.
func (p point) FH() *histogram.FloatHistogram {
	if p.h != nil {
		return p.h.ToFloat(nil)
	}
	return p.fh
}

func (p point) Type() chunkenc.ValueType {
	switch {
	case p.h != nil:
		return chunkenc.ValHistogram
	case p.fh != nil:
		return chunkenc.ValFloatHistogram
	}
	return chunkenc.ValFloat
}

// histogramOf reads a native histogram as Prometheus' scrape does: one with a count that
// is a float has floats in all its buckets.
func histogramOf(h *dto.Histogram) (*histogram.Histogram, *histogram.FloatHistogram) {
	if h.GetSampleCountFloat() > 0 || h.GetZeroCountFloat() > 0 || h.SampleCount == nil && h.SampleCountFloat != nil {
		return nil, &histogram.FloatHistogram{
			Schema: h.GetSchema(), ZeroThreshold: h.GetZeroThreshold(), ZeroCount: h.GetZeroCountFloat(),
			Count: h.GetSampleCountFloat(), Sum: h.GetSampleSum(),
			PositiveSpans: spansOf(h.GetPositiveSpan()), PositiveBuckets: h.GetPositiveCount(),
			NegativeSpans: spansOf(h.GetNegativeSpan()), NegativeBuckets: h.GetNegativeCount(),
		}
	}
	return &histogram.Histogram{
		Schema: h.GetSchema(), ZeroThreshold: h.GetZeroThreshold(), ZeroCount: h.GetZeroCount(),
		Count: h.GetSampleCount(), Sum: h.GetSampleSum(),
		PositiveSpans: spansOf(h.GetPositiveSpan()), PositiveBuckets: h.GetPositiveDelta(),
		NegativeSpans: spansOf(h.GetNegativeSpan()), NegativeBuckets: h.GetNegativeDelta(),
	}, nil
}

func spansOf(in []*dto.BucketSpan) []histogram.Span {
	out := make([]histogram.Span, len(in))
	for i, s := range in {
		out[i] = histogram.Span{Offset: s.GetOffset(), Length: s.GetLength()}
	}
	return out
}

// resultOf writes a histogram that the engine has calculated, for a recording rule.
func resultOf(fh *histogram.FloatHistogram) (*dto.Histogram, error) {
	if fh.UsesCustomBuckets() {
		return nil, errors.New("promql: a native histogram with custom buckets cannot be recorded")
	}
	return &dto.Histogram{
		Schema: &fh.Schema, ZeroThreshold: &fh.ZeroThreshold, ZeroCountFloat: &fh.ZeroCount,
		SampleCountFloat: &fh.Count, SampleSum: &fh.Sum,
		PositiveSpan: spansTo(fh.PositiveSpans), PositiveCount: fh.PositiveBuckets,
		NegativeSpan: spansTo(fh.NegativeSpans), NegativeCount: fh.NegativeBuckets,
	}, nil
}

func spansTo(in []histogram.Span) []*dto.BucketSpan {
	out := make([]*dto.BucketSpan, len(in))
	for i := range in {
		out[i] = &dto.BucketSpan{Offset: &in[i].Offset, Length: &in[i].Length}
	}
	return out
}
