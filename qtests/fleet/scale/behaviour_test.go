package scale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wants is an autoscaler whose metric asks for as many replicas as it is told.
type wants struct {
	*Autoscaler
	t        *testing.T
	now      time.Time
	replicas int
}

func newWants(t *testing.T, replicas int, h HPA) *wants {
	t.Helper()
	h.Metrics = []Metric{{Kind: External, Name: "n", AverageValue: 1}}
	h.Up.NoTolerance, h.Down.NoTolerance = true, true
	a, err := New(h)
	require.NoError(t, err)
	return &wants{a, t, start, replicas}
}

// ask lets d pass, and returns how many replicas there are then.
func (w *wants) ask(d time.Duration, desired int) int {
	w.now = w.now.Add(d)
	s := podCase{replicas: w.replicas, pods: w.replicas}.status()
	s.Now, s.Values = w.now, map[string]float64{"n": float64(desired)}
	w.replicas = w.Decide(s).Replicas
	return w.replicas
}

// The default goes up by 4 pods or 100% in 15 s, whichever is more.
func TestUpByDefault(t *testing.T) {
	w := newWants(t, 1, HPA{Max: 1000})
	got := []int{}
	for range 8 {
		got = append(got, w.ask(15*time.Second, 500))
	}
	require.Equal(t, []int{5, 10, 20, 40, 80, 160, 320, 500}, got)
}

// Within one period the sum counts, not each step.
func TestPoliciesCountWithinThePeriod(t *testing.T) {
	w := newWants(t, 10, HPA{Max: 1000, Up: Rules{Policies: []Policy{{Pods: 3, Period: time.Minute}}}})
	require.Equal(t, 12, w.ask(0, 12))
	require.Equal(t, 13, w.ask(15*time.Second, 50))
	require.Equal(t, 13, w.ask(15*time.Second, 50))
	require.Equal(t, 15, w.ask(30*time.Second, 50), "the first two are a minute ago")
	require.Equal(t, 16, w.ask(15*time.Second, 50))
}

// The documentation of Kubernetes: 10% a minute, and 4 pods a minute: 80 pods go down by 8, and below 40 by 4.
func TestDownByThePolicyThatRemovesMost(t *testing.T) {
	rules := Rules{NoWindow: true, Policies: []Policy{{Pods: 4, Period: time.Minute}, {Percent: 10, Period: time.Minute}}}
	w := newWants(t, 80, HPA{Max: 100, Down: rules})
	got := []int{}
	for range 9 {
		got = append(got, w.ask(time.Minute, 10))
	}
	require.Equal(t, []int{72, 64, 57, 51, 45, 40, 36, 32, 28}, got)

	rules.Select = SelectLeast
	w = newWants(t, 80, HPA{Max: 100, Down: rules})
	require.Equal(t, 76, w.ask(time.Minute, 10))

	rules.Select = SelectNone
	w = newWants(t, 80, HPA{Max: 100, Down: rules})
	require.Equal(t, 80, w.ask(time.Minute, 10))
	require.Equal(t, 81, w.ask(time.Minute, 81), "up still works")
}

// TestScaleUp… and TestScaleDown… of Kubernetes' conversion: percent is rounded up going up, and cut going down.
func TestPercentIsRoundedAsInKubernetes(t *testing.T) {
	up := Rules{Policies: []Policy{{Percent: 50, Period: time.Minute}}}
	require.Equal(t, 5, newWants(t, 3, HPA{Max: 100, Up: up}).ask(time.Minute, 90), "ceil(4.5)")
	down := Rules{NoWindow: true, Policies: []Policy{{Percent: 50, Period: time.Minute}}}
	require.Equal(t, 1, newWants(t, 3, HPA{Max: 100, Down: down}).ask(time.Minute, 0), "int(1.5)")
}

// Removing what was just added counts from the start of the period.
func TestBothDirectionsShareThePeriod(t *testing.T) {
	w := newWants(t, 10, HPA{Max: 100,
		Up:   Rules{Policies: []Policy{{Pods: 10, Period: time.Minute}}},
		Down: Rules{NoWindow: true, Policies: []Policy{{Pods: 5, Period: time.Minute}}},
	})
	require.Equal(t, 20, w.ask(0, 30))
	require.Equal(t, 5, w.ask(15*time.Second, 0), "10 at the start of the minute, less 5")
	require.Equal(t, 20, w.ask(15*time.Second, 30), "10 at the start, and 10")
}

// The largest wish of the last five minutes holds replicas up, the smallest of the up window holds them down.
func TestWindows(t *testing.T) {
	w := newWants(t, 10, HPA{Max: 100})
	require.Equal(t, 10, w.ask(0, 10))
	for at := 15 * time.Second; at < 5*time.Minute; at += 15 * time.Second {
		require.Equal(t, 10, w.ask(15*time.Second, 4), "%v", at)
	}
	require.Equal(t, 4, w.ask(15*time.Second, 4), "five minutes after the last 10")

	w = newWants(t, 4, HPA{Max: 100, Up: Rules{Window: time.Minute}})
	require.Equal(t, 4, w.ask(0, 8))
	require.Equal(t, 4, w.ask(15*time.Second, 6))
	require.Equal(t, 4, w.ask(15*time.Second, 8))
	require.Equal(t, 4, w.ask(15*time.Second, 8))
	require.Equal(t, 6, w.ask(15*time.Second, 8), "the 4 of the beginning is a minute ago, and the 6 is not")
	require.Equal(t, 8, w.ask(15*time.Second, 8))
}

func TestBounds(t *testing.T) {
	w := newWants(t, 3, HPA{Min: 2, Max: 5, Down: Rules{NoWindow: true}})
	require.Equal(t, 5, w.ask(time.Minute, 50))
	require.Equal(t, 2, w.ask(time.Minute, 0))
	w.replicas = 9
	require.Equal(t, 5, w.ask(time.Minute, 9), "above Max at once")
	w.replicas = 1
	require.Equal(t, 2, w.ask(time.Minute, 1), "below Min at once")
	w.replicas = 0
	require.Equal(t, 0, w.ask(time.Minute, 50), "0 turns it off")
	zero := newWants(t, 3, HPA{ToZero: true, Max: 5, Down: Rules{NoWindow: true}})
	require.Equal(t, 0, zero.ask(time.Minute, 0))
	require.Equal(t, 3, zero.ask(time.Minute, 3))
}

func TestToleranceOfADirection(t *testing.T) {
	h := HPA{Max: 100, Metrics: []Metric{cpu(50)}, Up: Rules{Tolerance: 0.5}, Down: Rules{NoTolerance: true, NoWindow: true}}
	a, err := New(h)
	require.NoError(t, err)
	decide := func(level int64) int {
		return a.Decide(podCase{replicas: 2, metric: cpu(50), levels: []int64{level, level}}.status()).Replicas
	}
	require.Equal(t, 2, decide(750))
	require.Equal(t, 4, decide(760))
	require.Equal(t, 2, decide(490), "ceil(0.98 · 2)")
}

func TestBadHPAs(t *testing.T) {
	for want, h := range map[string]HPA{
		"scale: HPA.Max: 0 is below 1":      {},
		"scale: HPA.Max: 2 is below Min, 3": {Min: 3, Max: 2},
		"scale: HPA.Min: -1 is negative":    {Min: -1, Max: 2},
		"scale: HPA.ToZero: true needs a metric of the kind Object or External: 0 pods have no other":   {ToZero: true, Max: 2},
		"scale: HPA.Metrics[0]: cpu has 2 targets instead of one":                                       {Max: 2, Metrics: []Metric{{Name: "cpu", Utilization: 50, AverageValue: 1}}},
		"scale: HPA.Metrics[0]: cpu has 0 targets instead of one":                                       {Max: 2, Metrics: []Metric{{Name: "cpu"}}},
		"scale: HPA.Metrics[0].Utilization: 50 is for Resource and ContainerResource alone":             {Max: 2, Metrics: []Metric{{Kind: Pods, Name: "q", Utilization: 50}}},
		"scale: HPA.Metrics[0].Value: 5 is for Object and External alone":                               {Max: 2, Metrics: []Metric{{Kind: Pods, Name: "q", Value: 5}}},
		"scale: HPA.Up.Window: 2h0m0s is over 1h":                                                       {Max: 2, Up: Rules{Window: 2 * time.Hour}},
		"scale: HPA.Down.Window: 1s contradicts NoWindow":                                               {Max: 2, Down: Rules{Window: time.Second, NoWindow: true}},
		"scale: HPA.Up.Policies: [] is empty: leave it nil, or use SelectNone":                          {Max: 2, Up: Rules{Policies: []Policy{}}},
		"scale: HPA.Up.Policies[0]: {Pods:1 Percent:1 Period:1m0s} has to have one of Pods and Percent": {Max: 2, Up: Rules{Policies: []Policy{{1, 1, time.Minute}}}},
		"scale: HPA.Up.Policies[0].Period: 0s is not above 0 and up to 30m":                             {Max: 2, Up: Rules{Policies: []Policy{{Pods: 1}}}},
	} {
		_, err := New(h)
		require.EqualError(t, err, want)
	}
	_, err := New(HPA{Max: 1, Up: Rules{Window: time.Hour, Policies: []Policy{{Pods: 1, Period: 30 * time.Minute}}}})
	require.NoError(t, err, "the largest that Kubernetes takes")
}

// The reason says what decided, and what was changed in it.
func TestReasons(t *testing.T) {
	w := newWants(t, 10, HPA{Max: 100})
	reason := func(d time.Duration, desired int) string {
		w.now = w.now.Add(d)
		s := podCase{replicas: 10, pods: 10}.status()
		s.Now, s.Values = w.now, map[string]float64{"n": float64(desired)}
		return w.Decide(s).Reason
	}
	require.Equal(t, "n 12 of 1 for each", reason(0, 12))
	require.Equal(t, "n 90 of 1 for each, limited from 90", reason(time.Minute, 90))
	require.Equal(t, "n 5 of 1 for each, stabilized", reason(time.Minute, 5))
}

func FuzzHPA(f *testing.F) {
	f.Add(3, 1, 10, 50.0, 20.0, int64(15), 2)
	f.Add(0, 0, 5, 0.0, 1.0, int64(300), 0)
	f.Fuzz(func(t *testing.T, replicas, low, high int, value, target float64, seconds int64, steps int) {
		if replicas < 0 || replicas > 1000 || steps > 50 || high > 1_000_000 || seconds < 0 || seconds > 3600 || value > 1e9 {
			t.Skip()
		}
		a, err := New(HPA{Min: low, Max: high, Metrics: []Metric{{Kind: External, Name: "n", AverageValue: target}}})
		if err != nil {
			return
		}
		s := Status{Now: start, Replicas: replicas, Values: map[string]float64{"n": max(0, value)}}
		for range steps {
			s.Now = s.Now.Add(time.Duration(seconds) * time.Second)
			s.Pods = podCase{replicas: min(s.Replicas, 50), pods: min(s.Replicas, 50)}.status().Pods
			d := a.Decide(s)
			if s.Replicas > 0 && (d.Replicas < a.hpa.Min || d.Replicas > a.hpa.Max) {
				t.Fatalf("%d is outside %d and %d", d.Replicas, a.hpa.Min, a.hpa.Max)
			}
			s.Replicas = d.Replicas
		}
	})
}
