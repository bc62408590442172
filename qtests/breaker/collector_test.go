package breaker_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// gathered flattens a gathering to "name{label values}" and its value.
func gathered(t *testing.T, cs ...prometheus.Collector) map[string]float64 {
	reg := prometheus.NewPedanticRegistry()
	for _, c := range cs {
		require.NoError(t, reg.Register(c))
	}
	families, err := reg.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			out[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

func TestCollector(t *testing.T) {
	h := newByHand(t)
	a := breaker.NewT(h, breaker.Config{Name: "a", FailureThreshold: 2})
	b := breaker.NewT(h, breaker.Config{Name: "b"})
	require.NoError(t, a.Do(ctx, succeeds))
	_ = times(2, a, fails)
	_ = times(3, a, succeeds) // rejected
	got := gathered(t, a, b)
	for key, want := range map[string]float64{
		"breaker_state breaker=a state=open":            1,
		"breaker_state breaker=a state=closed":          0,
		"breaker_state breaker=a state=half-open":       0,
		"breaker_state breaker=b state=closed":          1,
		"breaker_calls_total breaker=a result=success":  1,
		"breaker_calls_total breaker=a result=failure":  2,
		"breaker_calls_total breaker=a result=ignored":  0,
		"breaker_calls_total breaker=a result=stale":    0,
		"breaker_calls_total breaker=a result=rejected": 3,
		"breaker_transitions_total breaker=a to=open":   1,
		"breaker_transitions_total breaker=a to=closed": 0,
		"breaker_transitions_total breaker=b to=open":   0,
	} {
		require.Contains(t, got, key)
		require.Equal(t, want, got[key], key)
	}
	require.Len(t, got, 2*(3+5+3))
}
