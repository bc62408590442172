package remotewrite

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/prompb"
)

// encode makes a request of metrics, in which a histogram is its buckets, sum and count, as in the text
// form.
func encode(families []*dto.MetricFamily, labels map[string]string, now time.Time) *prompb.WriteRequest {
	e := encoder{labels: labels, at: now.UnixMilli(), request: &prompb.WriteRequest{}}
	for _, f := range families {
		for _, m := range f.Metric {
			e.metric(f.GetName(), m)
		}
	}
	return e.request
}

type encoder struct {
	labels  map[string]string
	at      int64 // milliseconds since 1970
	request *prompb.WriteRequest
}

func (e *encoder) metric(name string, m *dto.Metric) {
	switch {
	case m.Counter != nil:
		e.add(name, m, m.Counter.GetValue())
	case m.Gauge != nil:
		e.add(name, m, m.Gauge.GetValue())
	case m.Untyped != nil:
		e.add(name, m, m.Untyped.GetValue())
	case m.Summary != nil:
		for _, q := range m.Summary.Quantile {
			e.add(name, m, q.GetValue(), "quantile", number(q.GetQuantile()))
		}
		e.add(name+"_sum", m, m.Summary.GetSampleSum())
		e.add(name+"_count", m, float64(m.Summary.GetSampleCount()))
	case m.Histogram != nil:
		h, last := m.Histogram, false
		for _, b := range h.Bucket {
			last = math.IsInf(b.GetUpperBound(), 1)
			e.add(name+"_bucket", m, float64(b.GetCumulativeCount()), "le", number(b.GetUpperBound()))
		}
		if !last {
			e.add(name+"_bucket", m, float64(h.GetSampleCount()), "le", "+Inf")
		}
		e.add(name+"_sum", m, h.GetSampleSum())
		e.add(name+"_count", m, float64(h.GetSampleCount()))
	}
}

// add adds a value, with the labels of the metric and a further one.
func (e *encoder) add(name string, m *dto.Metric, value float64, further ...string) {
	labels := []prompb.Label{{Name: "__name__", Value: name}}
	has := map[string]bool{}
	for _, l := range m.Label {
		has[l.GetName()] = true
		labels = append(labels, prompb.Label{Name: l.GetName(), Value: l.GetValue()})
	}
	for i := 0; i+1 < len(further); i += 2 {
		labels = append(labels, prompb.Label{Name: further[i], Value: further[i+1]})
	}
	for k, v := range e.labels {
		if !has[k] {
			labels = append(labels, prompb.Label{Name: k, Value: v})
		}
	}
	slices.SortFunc(labels, func(a, b prompb.Label) int { return cmp.Compare(a.Name, b.Name) })
	e.request.Timeseries = append(e.request.Timeseries, prompb.TimeSeries{Labels: labels, Samples: []prompb.Sample{{Value: value, Timestamp: e.at}}})
}

// number is a bound as the text form has it.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
