// Package native reads the parts of scraped metrics that are no plain numbers: native
// histograms, and since when a metric counts.
package native

import (
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Is reports whether a histogram has a native part, as Prometheus tells.
func Is(h *dto.Histogram) bool {
	return len(h.GetPositiveSpan()) > 0 || len(h.GetNegativeSpan()) > 0 || h.GetZeroThreshold() > 0 || h.GetZeroCount() > 0 || h.GetZeroCountFloat() > 0
}

// Part copies what is native of a histogram, which its gatherer may change later.
func Part(h *dto.Histogram) *dto.Histogram {
	return &dto.Histogram{
		SampleCount: h.SampleCount, SampleCountFloat: h.SampleCountFloat, SampleSum: h.SampleSum, CreatedTimestamp: h.CreatedTimestamp,
		Schema: h.Schema, ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount, ZeroCountFloat: h.ZeroCountFloat,
		NegativeSpan: h.NegativeSpan, NegativeDelta: h.NegativeDelta, NegativeCount: h.NegativeCount,
		PositiveSpan: h.PositiveSpan, PositiveDelta: h.PositiveDelta, PositiveCount: h.PositiveCount,
		Exemplars: h.Exemplars,
	}
}

// Created returns when a metric began to count, or the zero time.
func Created(m *dto.Metric) time.Time {
	ts := m.GetCounter().GetCreatedTimestamp()
	switch {
	case m.Histogram != nil:
		ts = m.Histogram.GetCreatedTimestamp()
	case m.Summary != nil:
		ts = m.Summary.GetCreatedTimestamp()
	}
	if ts == nil {
		return time.Time{}
	}
	return ts.AsTime()
}
