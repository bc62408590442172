package result

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// A MetricResult is a metric of the scenario's own.
type MetricResult struct {
	Name string `json:"name"`
	// Kind is "counter" (User.Count), "gauge" (Gauge), "rate" (Rate) or "trend" (Trend and TrendTime).
	Kind string `json:"kind"`
	// Time says that the values of a trend are times, in seconds.
	Time    bool  `json:"time,omitempty"`
	Samples int64 `json:"samples"` // calls
	Passed  int64 `json:"passed"`  // those of a rate with true
	// Sum and the others are zero for a rate. The sum of a counter is its value.
	Sum  float64 `json:"sum"`
	Last float64 `json:"last"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
	// P50 and the others are percentiles of a trend, at most 0.1 % too high.
	P50 float64 `json:"p50,omitempty"`
	P90 float64 `json:"p90,omitempty"`
	P95 float64 `json:"p95,omitempty"`
	P99 float64 `json:"p99,omitempty"`
}

// describe says in a few words what the metric came to; length is how long load arrived.
func (m MetricResult) describe(length time.Duration) string {
	switch m.Kind {
	case "counter":
		perSecond := 0.0
		if length > 0 {
			perSecond = m.Sum / length.Seconds()
		}
		return fmt.Sprintf("%s, %s/s", text.Number(m.Sum), text.Significant(perSecond))
	case "gauge":
		return fmt.Sprintf("last %s  min %s  max %s", text.Number(m.Last), text.Number(m.Min), text.Number(m.Max))
	case "rate":
		return fmt.Sprintf("%.4g%%, %s of %s", 100*float64(m.Passed)/float64(max(m.Samples, 1)), text.Grouped(m.Passed), text.Grouped(m.Samples))
	}
	return fmt.Sprintf("p50 %s  p90 %s  p95 %s  p99 %s  max %s  mean %s  of %s", m.value(m.P50), m.value(m.P90), m.value(m.P95), m.value(m.P99),
		m.value(m.Max), m.value(m.Sum/float64(max(m.Samples, 1))), text.Grouped(m.Samples))
}

// value shows a value of a trend.
func (m MetricResult) value(x float64) string {
	if m.Time {
		return text.Short(time.Duration(x * 1e9))
	}
	return text.Significant(x)
}
