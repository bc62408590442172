package metrics_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/metrics"
	"github.com/go-qtests/qtests/qtests/breaker/registry"
)

func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

var (
	ctx     = context.Background()
	errDown = errors.New("down")
)

func fails(context.Context) error    { return errDown }
func succeeds(context.Context) error { return nil }

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

func TestOf(t *testing.T) {
	a := breaker.NewT(t, breaker.Config{Name: "a", FailureThreshold: 2})
	b := breaker.NewT(t, breaker.Config{Name: "b"})
	require.NoError(t, a.Do(ctx, succeeds))
	for range 2 {
		require.ErrorIs(t, a.Do(ctx, fails), errDown)
	}
	for range 3 {
		require.ErrorIs(t, a.Do(ctx, succeeds), breaker.ErrOpen)
	}
	got := gathered(t, metrics.Of(a), metrics.Of(b))
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

func TestARecorderHasNoCalls(t *testing.T) {
	b := breaker.NewT(t, breaker.Config{Name: "theirs", Mode: breaker.Recording})
	b.Record(breaker.Open)
	b.Record(breaker.HalfOpen)
	got := gathered(t, metrics.Of(b), metrics.Of(breaker.NewT(t, breaker.Config{Name: "ours"})))
	require.EqualValues(t, 1, got["breaker_state breaker=theirs state=half-open"])
	require.EqualValues(t, 1, got["breaker_transitions_total breaker=theirs to=open"])
	require.Len(t, got, 6+11, "a breaker that records knows no calls")
}

// A name is what the user's system calls the other side, which need not be UTF-8.
func TestNamesThatAreNoText(t *testing.T) {
	for name, label := range map[string]string{
		"a\xff": `"a\xff"`, "a\xfe": `"a\xfe"`, `a\xff`: `a\xff`, `"a\xff"`: `"\"a\\xff\""`, "line\nbreak": "line\nbreak", "nul\x00": "nul\x00", "grün": "grün",
	} {
		b := breaker.NewT(t, breaker.Config{Name: name})
		b.Trip()
		require.EqualValues(t, 1, gathered(t, metrics.Of(b))["breaker_state breaker="+label+" state=open"], "%q", name)
	}
}

func TestOfAll(t *testing.T) {
	r := registry.NewT(t, registry.Config{})
	for _, name := range []string{"b", "a", "a\xff", "a\xfe"} { // the last two are no text, and differ
		b, err := r.Get(name)
		require.NoError(t, err)
		if name == "b" {
			b.Trip()
		}
	}
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(metrics.OfAll(r.Stats)))
	require.NoError(t, reg.Register(metrics.Of(breaker.NewT(t, breaker.Config{Name: "alone"}))))
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP breaker_state 1 for the present state of the circuit breaker, 0 for the others.
# TYPE breaker_state gauge
breaker_state{breaker="\"a\\xfe\"",state="closed"} 1
breaker_state{breaker="\"a\\xfe\"",state="half-open"} 0
breaker_state{breaker="\"a\\xfe\"",state="open"} 0
breaker_state{breaker="\"a\\xff\"",state="closed"} 1
breaker_state{breaker="\"a\\xff\"",state="half-open"} 0
breaker_state{breaker="\"a\\xff\"",state="open"} 0
breaker_state{breaker="a",state="closed"} 1
breaker_state{breaker="a",state="half-open"} 0
breaker_state{breaker="a",state="open"} 0
breaker_state{breaker="alone",state="closed"} 1
breaker_state{breaker="alone",state="half-open"} 0
breaker_state{breaker="alone",state="open"} 0
breaker_state{breaker="b",state="closed"} 0
breaker_state{breaker="b",state="half-open"} 0
breaker_state{breaker="b",state="open"} 1
`), "breaker_state"))
	n, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	require.Equal(t, 5*(3+5+3), n)
}
