package scale

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kedaRun asks every 15 s with the value of queue; missing where it is NaN.
func kedaRun(t *testing.T, k KEDA, replicas int, values ...float64) (got []int) {
	t.Helper()
	s, err := NewKEDA(k)
	require.NoError(t, err)
	now := start
	for _, v := range values {
		status := podCase{replicas: replicas, pods: replicas}.status()
		status.Now, status.Values = now, map[string]float64{}
		if !math.IsNaN(v) {
			status.Values["queue"] = v
		}
		replicas = s.Decide(status).Replicas
		got = append(got, replicas)
		now = now.Add(s.Every())
	}
	return got
}

func repeat(v float64, n int) (all []float64) {
	for range n {
		all = append(all, v)
	}
	return all
}

func TestKEDAFromZeroAndBack(t *testing.T) {
	k := KEDA{Max: 10, Triggers: []Trigger{{Name: "queue", Threshold: 5}}, Down: Rules{NoWindow: true}}
	got := kedaRun(t, k, 0, 0, 30, 30, 30, 30)
	require.Equal(t, []int{0, 0, 1, 5, 6}, got, "read every 30 s; then 4 pods or 100% per 15 s")

	got = kedaRun(t, k, 1, append([]float64{7, 7}, repeat(0, 23)...)...)
	require.Equal(t, 2, got[0], "7 at 5 for each")
	require.Equal(t, 1, got[20], "active for the last time at 0 s, so 300 s are not over")
	require.Equal(t, 0, got[21], "315 s")
}

func TestKEDAActivation(t *testing.T) {
	k := KEDA{Triggers: []Trigger{{Name: "queue", Threshold: 5, Activation: 3}}}
	require.Equal(t, []int{0, 0, 0, 0, 1}, kedaRun(t, k, 0, 3, 3, 3, 3, 4), "above 3, and not at 3")
}

func TestKEDAIdle(t *testing.T) {
	k := KEDA{Min: 3, HasIdle: true, NoCooldown: true, Triggers: []Trigger{{Name: "queue", Threshold: 5}}, Polling: 15 * time.Second}
	require.Equal(t, []int{3, 0, 0, 3}, kedaRun(t, k, 0, 1, 0, 0, 1)[:4])
	k = KEDA{Min: 3, NoCooldown: true, Triggers: k.Triggers, Polling: 15 * time.Second}
	require.Equal(t, []int{3, 3}, kedaRun(t, k, 3, 0, 0), "without Idle it never goes below Min")
}

func TestKEDAFallback(t *testing.T) {
	k := KEDA{Min: 1, Polling: 15 * time.Second, Triggers: []Trigger{{Name: "queue", Threshold: 5}}, Fallback: Fallback{Failures: 2, Replicas: 6}}
	nan := math.NaN()
	require.Equal(t, []int{2, 2, 2, 6}, kedaRun(t, k, 2, 10, nan, nan, nan))
	k.Fallback.Failures, k.Fallback.Replicas = 0, 3
	require.Equal(t, []int{2, 3}, kedaRun(t, k, 2, 10, nan), "more than 0 failures")
	k.Fallback = Fallback{}
	require.Equal(t, []int{2, 2, 2, 2}, kedaRun(t, k, 2, 10, nan, nan, nan), "nothing changes without its metric")
}

func TestBadKEDAs(t *testing.T) {
	one := []Trigger{{Name: "queue", Threshold: 1}}
	for want, k := range map[string]KEDA{
		"scale: KEDA.Triggers: [] is empty":                   {},
		"scale: KEDA.Triggers[0].Threshold: 0 is not above 0": {Triggers: []Trigger{{Name: "queue"}}},
		"scale: KEDA.Min: 101 is over Max, 100":               {Min: 101, Triggers: one},
		"scale: KEDA.Idle: 2 is not below Min, 2":             {Min: 2, Idle: 2, HasIdle: true, Triggers: one},
		"scale: KEDA.Idle: 1 is set, but HasIdle is not":      {Min: 2, Idle: 1, Triggers: one},
		"scale: KEDA.Cooldown: 1s contradicts NoCooldown":     {Cooldown: time.Second, NoCooldown: true, Triggers: one},
	} {
		_, err := NewKEDA(k)
		require.EqualError(t, err, want)
	}
	_, err := NewKEDA(KEDA{Min: 5, Max: 5, Triggers: one})
	require.NoError(t, err, "Min may be Max")
}

// The example of Amazon's documentation: at 50% of 10 instances, 60-70 adds 10%, from 70 adds 30%,
// 30-40 removes 10%, below 30 removes 30%.
func TestStepsAsDocumented(t *testing.T) {
	cfg := Steps{Min: 1, Max: 100, Metric: "cpu", NoCooldown: true, Steps: []Step{
		{From: 60, To: 70, Percent: 10}, {From: 70, To: math.Inf(1), Percent: 30},
		{From: 30, To: 40, Percent: -10}, {From: math.Inf(-1), To: 30, Percent: -30},
	}}
	for value, want := range map[float64]int{50: 10, 60: 11, 69.9: 11, 70: 13, 200: 13, 40: 10, 39: 9, 30: 9, 29: 7} {
		s, err := NewSteps(cfg)
		require.NoError(t, err)
		require.Equal(t, want, s.Decide(Status{Now: start, Replicas: 10, Values: map[string]float64{"cpu": value}}).Replicas, "%v", value)
	}
	s, err := NewSteps(cfg)
	require.NoError(t, err)
	require.Equal(t, 5, s.Decide(Status{Now: start, Replicas: 4, Values: map[string]float64{"cpu": 65}}).Replicas, "0.4 is 1")
	require.Equal(t, 16, s.Decide(Status{Now: start, Replicas: 13, Values: map[string]float64{"cpu": 75}}).Replicas, "3.9 is 3")
	for replicas, want := range map[int]int{0: 1, 1: 1, 100: 100, 120: 100} {
		d := s.Decide(Status{Now: start, Replicas: replicas, Values: map[string]float64{"cpu": 50}})
		require.Equal(t, want, d.Replicas, "of %d", replicas)
		require.Equal(t, replicas != want, d.Reason == "outside Min and Max", "of %d", replicas)
	}
}

func TestStepsCooldownAndPeriods(t *testing.T) {
	s, err := NewSteps(Steps{Max: 10, Metric: "q", Periods: 2, Steps: []Step{{From: 5, To: 9, By: 1}, {From: 9, To: 99, Exactly: 8}, {From: -1, To: 1, By: -1}}})
	require.NoError(t, err)
	require.Equal(t, time.Minute, s.Every())
	replicas, now := 2, start
	decide := func(value float64) int {
		d := s.Decide(Status{Now: now, Replicas: replicas, Values: map[string]float64{"q": value}})
		now, replicas = now.Add(time.Minute), d.Replicas
		return replicas
	}
	require.Equal(t, []int{2, 3, 3, 3, 3, 3, 8}, []int{decide(6), decide(6), decide(6), decide(20), decide(20), decide(20), decide(20)}, "two in a row, and five minutes of rest")
	require.Equal(t, []int{8, 8, 8, 8, 7}, []int{decide(0), decide(0), decide(3), decide(0), decide(0)})
	d := s.Decide(Status{Now: now, Replicas: 7})
	require.Equal(t, 7, d.Replicas)
	require.EqualError(t, d.Err, "scale: no value of q")
}

// Readings count in a row when they change the same way: a range up and a range down do not add up.
func TestStepsInARow(t *testing.T) {
	for name, tc := range map[string]struct{ values, want []float64 }{
		"up and down": {[]float64{6, 0, 6, 0}, []float64{5, 5, 5, 5}},
		"both up":     {[]float64{6, 9, 0, 0}, []float64{5, 8, 8, 7}},
		"a pause":     {[]float64{6, 3, 6, 6}, []float64{5, 5, 5, 6}},
	} {
		s, err := NewSteps(Steps{Max: 10, Metric: "q", Periods: 2, NoCooldown: true, Steps: []Step{{From: 5, To: 9, By: 1}, {From: 9, To: 99, Exactly: 8}, {From: -1, To: 1, By: -1}}})
		require.NoError(t, err)
		status := Status{Now: start, Replicas: 5}
		for i, v := range tc.values {
			status.Values = map[string]float64{"q": v}
			status.Replicas = s.Decide(status).Replicas
			require.Equal(t, int(tc.want[i]), status.Replicas, "%s: reading %d", name, i)
		}
	}
}

func TestBadSteps(t *testing.T) {
	for want, cfg := range map[string]Steps{
		"scale: Steps.Steps: [] is empty":                                               {Max: 1, Metric: "q"},
		"scale: Steps.Steps[1]: {2 4 1 0 0} overlaps Steps[0]":                          {Max: 1, Metric: "q", Steps: []Step{{From: 1, To: 3, By: 1}, {From: 2, To: 4, By: 1}}},
		"scale: Steps.Steps[0]: {3 3 1 0 0} has to begin before it ends":                {Max: 1, Metric: "q", Steps: []Step{{From: 3, To: 3, By: 1}}},
		"scale: Steps.Steps[0]: {1 3 1 0 1} has to have one of By, Percent and Exactly": {Max: 1, Metric: "q", Steps: []Step{{From: 1, To: 3, By: 1, Exactly: 1}}},
		"scale: Steps.Max: 1 is below Min, or below 1":                                  {Min: 2, Max: 1, Metric: "q", Steps: []Step{{From: 1, To: 3, By: 1}}},
	} {
		_, err := NewSteps(cfg)
		require.EqualError(t, err, want)
	}
	_, err := Func(0, func(s Status) Decision { return Decision{} })
	require.Error(t, err)
	f, err := Func(time.Second, func(s Status) Decision { return Decision{Replicas: s.Replicas * 2} })
	require.NoError(t, err)
	require.Equal(t, 6, f.Decide(Status{Replicas: 3}).Replicas)
	require.Equal(t, time.Second, f.Every())
}

func TestRecord(t *testing.T) {
	var r Record
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	r.Set(at(0), 2, false, "")
	r.Set(at(30), 4, true, "up")
	r.Set(at(35), 3, false, "down") // turns back within 10 minutes
	r.Set(at(60), 5, false, "up")   // turns back later
	r.Set(at(62), 7, false, "up")
	require.Equal(t, Summary{
		Length: 2 * time.Hour, InstanceHours: (2*30 + 4*5 + 3*25 + 5*2 + 7*58) / 60.0, OverTarget: 5 * time.Minute,
		Least: 2, Most: 7, Changes: 4, Flaps: 1,
	}, r.Summary(at(120)))
	require.Equal(t, "4 → 3: down", r.Changes()[1].String())
	require.Equal(t, "2 to 7 replicas, 9.5 instance-hours in 2h0m0s, over target for 5m0s, 4 changes, 1 of them flaps", r.Summary(at(120)).String())
}

// A change back counts as a flap at 10 minutes, and not after.
func TestFlapAtTheEndOfTheWindow(t *testing.T) {
	for after, want := range map[time.Duration]int{DefaultFlapWindow: 1, DefaultFlapWindow + 1: 0} {
		var r Record
		r.Set(start, 2, false, "")
		r.Set(start, 3, false, "up")
		r.Set(start.Add(after), 2, false, "down")
		require.Equal(t, want, r.Summary(start.Add(after)).Flaps, after)
	}
}

func TestRecordIsBounded(t *testing.T) {
	var r Record
	for i := range 3 * MaxChanges {
		r.Set(start.Add(time.Duration(i)*time.Minute), 1+i%2, false, "")
	}
	s := r.Summary(start)
	require.Equal(t, 3*MaxChanges-1, s.Changes)
	require.Equal(t, 3*MaxChanges-2, s.Flaps)
	require.Len(t, r.Changes(), MaxChanges)
	require.Equal(t, 2*MaxChanges-1, s.Dropped)
}
