package rollout

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// The cases of Kubernetes' ResolveFenceposts, NewRSNewReplicas, and of its tests of reconcileOldReplicaSets.
func TestBoundsAsKubernetes(t *testing.T) {
	for _, tc := range []struct {
		surge, few         Amount
		wanted             int
		wantSurge, wantFew int
	}{
		{Share(0), Share(0), 0, 0, 1},
		{Count(0), Count(0), 10, 0, 1},
		{Count(1), Count(1), 10, 1, 1},
		{Count(1), Count(0), 10, 1, 0},
		{Share(0.25), Share(0.25), 10, 3, 2},
		{Share(0.25), Share(0.25), 1, 1, 0},
		{Amount{}, Amount{}, 5, 2, 1},
		{Count(0), Share(0.25), 2, 0, 1},
	} {
		surge, few := Update{MaxSurge: tc.surge, MaxUnavailable: tc.few}.bounds(tc.wanted)
		require.Equal(t, []int{tc.wantSurge, tc.wantFew}, []int{surge, few}, "%+v", tc)
	}
}

func TestStepsAsKubernetes(t *testing.T) {
	group := func(n, available int) Group { return Group{Instances: n, Available: available} }
	for _, tc := range []struct {
		name             string
		surge, few       int
		wanted           int
		old, new         Group
		wantOld, wantNew int
	}{
		// TestDeploymentController_reconcileNewReplicaSet
		{"should not scale up", 0, 2, 10, group(10, 10), group(0, 0), 8, 0},
		{"should scale up by 2", 2, 0, 10, group(10, 10), group(0, 0), 10, 2},
		{"should scale up by 5", 0, 2, 10, group(5, 5), group(0, 0), 5, 5},
		{"no room: the sick go", 0, 2, 10, group(10, 0), group(2, 0), 8, 2},
		{"should scale down", 0, 2, 10, group(2, 2), group(11, 11), 2, 10},
		// TestDeploymentController_reconcileOldReplicaSets
		{"nothing old", 0, 1, 10, group(0, 0), group(10, 5), 0, 10},
		{"down to the least", 0, 2, 10, group(10, 10), group(0, 0), 8, 0},
		{"the sick go first", 0, 2, 10, group(10, 8), group(0, 0), 8, 0},
		{"new ones that are ready", 0, 2, 10, group(8, 8), group(2, 2), 6, 2},
		{"new ones that are not", 0, 2, 10, group(8, 8), group(2, 0), 8, 2},
		{"some of the new ones", 0, 2, 10, group(8, 8), group(2, 1), 7, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			u, err := Update{MaxSurge: Count(tc.surge), MaxUnavailable: Count(tc.few)}.Begin(start)
			require.NoError(t, err)
			a := u.Next(State{Now: start, Wanted: tc.wanted, Old: tc.old, New: tc.new})
			require.Equal(t, []int{tc.wantOld, tc.wantNew}, []int{a.Old, a.New})
		})
	}
}

// Figures of Kubernetes: the example of its documentation of Deployments (10 → 15 with maxSurge 3), and TestScale of its
// deployment controller, as far as it has two ReplicaSets.
func TestProportionalScalingAsKubernetes(t *testing.T) {
	for _, tc := range []struct {
		surge, before, wanted                  int
		oldBefore, newBefore, wantOld, wantNew int
	}{
		{3, 10, 15, 8, 5, 11, 7},
		{0, 5, 10, 3, 2, 6, 4},
		{0, 5, 3, 3, 2, 2, 1},
		{0, 9, 4, 1, 8, 0, 4},
		{0, 7, 10, 7, 0, 10, 0},
		{0, 7, 10, 0, 7, 0, 10},
		{0, 10, 0, 5, 5, 0, 0},
		{0, 2, 3, 1, 1, 1, 2}, // 1.5 each: the new one gets what is left
		{0, 3, 2, 2, 1, 1, 1},
		{0, 8, 7, 4, 4, 3, 4}, // 3.5 each: the old one loses one
		{1, 4, 5, 3, 3, 3, 3}, // 6 there may be, and 6 there are
	} {
		u := Update{MaxSurge: Count(tc.surge), MaxUnavailable: Count(2)}
		r, err := u.Begin(start)
		require.NoError(t, err)
		r.(*update).wanted = tc.before
		group := func(n int) Group { return Group{Instances: n, Available: n} }
		a := r.Next(State{Now: start, Wanted: tc.wanted, Old: group(tc.oldBefore), New: group(tc.newBefore)})
		require.Equal(t, []int{tc.wantOld, tc.wantNew}, []int{a.Old, a.New}, "%+v", tc)
		require.Equal(t, Progressing, a.Phase)
	}
}

// Whatever is wanted meanwhile, there are never more than wanted + maxSurge after a step, and it ends.
func TestScalingInTheMiddleOfAnUpdate(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		cfg := Update{MaxSurge: Count(r.IntN(4)), MaxUnavailable: Count(1 + r.IntN(3))}
		u, err := cfg.Begin(start)
		require.NoError(t, err)
		n := 1 + r.IntN(12)
		s := State{Now: start, Wanted: n, Old: Group{Instances: n, Available: n}}
		for step := 0; ; step++ {
			require.Less(t, step, 1000, "seed %d does not end: %+v", seed, s)
			if step < 20 && r.IntN(4) == 0 {
				s.Wanted = r.IntN(15)
			}
			s.Now = s.Now.Add(time.Second)
			before := s.Old.Instances + s.New.Instances
			a := u.Next(s)
			if a.Phase == Complete {
				break
			}
			surge, _ := cfg.bounds(s.Wanted)
			require.GreaterOrEqual(t, min(a.Old, a.New), 0, "seed %d", seed)
			require.LessOrEqual(t, a.Old+a.New, max(s.Wanted+surge, before), "seed %d: %+v", seed, s)
			s.Old.Instances, s.New.Instances = a.Old, a.New
			s.Old.Available, s.New.Available = a.Old, min(s.New.Available, a.New)
			if s.New.Available < s.New.Instances && r.IntN(2) == 0 {
				s.New.Available++
			}
		}
		require.Equal(t, s.Wanted, s.New.Instances)
		require.Zero(t, s.Old.Instances)
	}
}

// A world starts and stops instances, which become available in any order. Whatever happens, the bounds of the update hold.
func TestUpdateKeepsItsBounds(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		cfg := Update{MaxSurge: Count(r.IntN(4)), MaxUnavailable: Count(r.IntN(4))}
		wanted := 1 + r.IntN(12)
		u, err := cfg.Begin(start)
		if err != nil {
			continue // both are 0
		}
		surge, few := cfg.bounds(wanted)
		s := State{Now: start, Wanted: wanted, Old: Group{Instances: wanted, Available: wanted}}
		for step := 0; ; step++ {
			require.Less(t, step, 1000, "seed %d does not end: %+v", seed, s)
			s.Now = s.Now.Add(time.Second)
			a := u.Next(s)
			if a.Phase == Complete {
				break
			}
			require.Equal(t, Progressing, a.Phase)
			s.New.Instances, s.Old.Instances = a.New, a.Old
			s.Old.Available = min(s.Old.Available, s.Old.Instances) // old ones are all well here
			require.LessOrEqual(t, s.Old.Instances+s.New.Instances, wanted+surge, "seed %d", seed)
			require.GreaterOrEqual(t, s.Old.Available+s.New.Available, min(wanted, wanted-few), "seed %d", seed)
			if s.New.Available < s.New.Instances && r.IntN(2) == 0 {
				s.New.Available++
			}
		}
		require.Equal(t, wanted, s.New.Available)
		require.Zero(t, s.Old.Instances)
	}
}

// A version that never becomes ready stops, with most old ones still there.
func TestUpdateGetsStuck(t *testing.T) {
	u, err := Update{}.Begin(start)
	require.NoError(t, err)
	s := State{Now: start, Wanted: 4, Old: Group{Instances: 4, Available: 4}}
	for {
		a := u.Next(s)
		s.Old.Instances, s.New.Instances = a.Old, a.New
		s.Old.Available = a.Old
		if a.Phase != Progressing {
			require.Equal(t, Stuck, a.Phase)
			require.Equal(t, "0 of 4 available, and nothing became better for 10m0s", a.Reason)
			break
		}
		s.Now = s.Now.Add(15 * time.Second)
	}
	require.Equal(t, 3, s.Old.Available)
	require.Equal(t, 2, s.New.Instances)
	require.Equal(t, 10*time.Minute+45*time.Second, s.Now.Sub(start))
}

func TestBlueGreen(t *testing.T) {
	b, err := BlueGreen{Keep: time.Minute}.Begin(start)
	require.NoError(t, err)
	s := State{Now: start, Wanted: 3, Old: Group{Instances: 3, Available: 3}}
	require.Equal(t, Action{Old: 3, New: 3, Reason: "0 of 3 available"}, b.Next(s))
	s.New = Group{Instances: 3, Available: 2}
	require.Zero(t, b.Next(s).Share)
	s.New.Available = 3
	require.Equal(t, Action{Old: 3, New: 3, Share: 1, Reason: "switched"}, b.Next(s))
	s.Now = s.Now.Add(time.Minute - 1)
	require.Equal(t, 3, b.Next(s).Old, "they stay for a minute")
	s.Now = s.Now.Add(1)
	require.Equal(t, Action{Old: 0, New: 3, Share: 1, Reason: "switched"}, b.Next(s))
	s.Old = Group{}
	require.Equal(t, Complete, b.Next(s).Phase)

	b, err = BlueGreen{}.Begin(start)
	require.NoError(t, err)
	s = State{Now: start, Wanted: 3, Old: Group{Instances: 3, Available: 3}, New: Group{Instances: 3, Available: 2}}
	b.Next(s)
	s.Now = s.Now.Add(DefaultDeadline)
	require.Equal(t, Action{Old: 3, New: 0, Phase: RolledBack, Reason: "2 of 3 available, and nothing became better for 10m0s"}, b.Next(s))
}

// canaryRun asks every 10 s; failed is the share of the canary's requests that fail.
func canaryRun(t *testing.T, k Canary, failed float64) (log []string) {
	t.Helper()
	r, err := k.Begin(start)
	require.NoError(t, err)
	s := State{Now: start, Wanted: 10, Old: Group{Instances: 10, Available: 10}}
	for range 1000 {
		a := r.Next(s)
		line := fmt.Sprintf("%d+%d %g%% %v", a.Old, a.New, a.Share*100, a.Phase)
		if len(log) == 0 || log[len(log)-1] != line {
			log = append(log, line)
		}
		if a.Phase.Final() {
			return append(log, a.Reason)
		}
		s.Old.Instances, s.Old.Available = a.Old, a.Old
		s.New.Available = min(s.New.Instances, a.New)
		s.New.Instances = a.New
		s.Now = s.Now.Add(10 * time.Second)
		n := uint64(1000 * max(a.Share, 0))
		s.New.Requests += n
		s.New.Failed += uint64(failed * float64(n))
		s.Old.Requests += 1000 - n
	}
	t.Fatal("the canary does not end")
	return nil
}

func TestCanary(t *testing.T) {
	k := Canary{Steps: []Step{{0.1, time.Minute}, {0.5, time.Minute}}, Analysis: Analysis{MaxFailed: 0.02}}
	require.Equal(t, []string{
		"10+1 0% progressing", "10+1 10% progressing", "10+5 10% progressing", "10+5 50% progressing",
		"10+10 50% progressing", "0+10 100% progressing", "0+10 100% complete", "10 of 10 available",
	}, canaryRun(t, k, 0.01))
	require.Equal(t, []string{
		"10+1 0% progressing", "10+1 10% progressing", "10+0 0% rolled back", "5% of 400 requests failed, more than 2%",
	}, canaryRun(t, k, 0.05))
	k.Analysis = Analysis{NoFailed: true, Failures: 2}
	log := canaryRun(t, k, 0.01)
	require.Equal(t, "10+0 0% rolled back", log[len(log)-2])
	require.Contains(t, log, "10+5 50% progressing", "one bad interval is not enough")
	k.Analysis = Analysis{Judge: func(old, fresh Group) string {
		return fmt.Sprintf("%d to %d", old.Requests, fresh.Requests)
	}}
	require.Equal(t, "5600 to 400", canaryRun(t, k, 0)[3])
}

// Too few requests are not judged, and bad intervals count in a row alone.
func TestCanaryJudgesFairly(t *testing.T) {
	k, err := Canary{Steps: []Step{{0.5, time.Hour}}, Analysis: Analysis{NoFailed: true, Failures: 2}}.Begin(start)
	require.NoError(t, err)
	s := State{Now: start, Wanted: 2, Old: Group{Instances: 2, Available: 2}, New: Group{Instances: 1, Available: 1}}
	minute := func(requests, failed uint64) Phase {
		s.Now = s.Now.Add(time.Minute)
		s.New.Requests += requests
		s.New.Failed += failed
		return k.Next(s).Phase
	}
	require.Equal(t, Progressing, minute(100, 1))
	require.Equal(t, Progressing, minute(100, 0))
	require.Equal(t, Progressing, minute(100, 1), "not in a row")
	require.Equal(t, Progressing, minute(19, 19), "too few")
	require.Equal(t, RolledBack, minute(1, 0), "with the one before, enough")
}

func TestCanaryByLatencyAndDeadline(t *testing.T) {
	k, err := Canary{Steps: []Step{{0.5, time.Hour}}, Analysis: Analysis{MaxP99: time.Second}}.Begin(start)
	require.NoError(t, err)
	s := State{Now: start.Add(time.Minute), Wanted: 2, Old: Group{Instances: 2, Available: 2}, New: Group{Instances: 1, Available: 1, Requests: 100, P99: 2 * time.Second}}
	require.Equal(t, Action{Old: 2, Phase: RolledBack, Reason: "p99 is 2s, more than 1s"}, k.Next(s))

	k, err = Canary{Steps: []Step{{0.5, time.Hour}}}.Begin(start)
	require.NoError(t, err)
	s = State{Now: start, Wanted: 2, Old: Group{Instances: 2, Available: 2}, New: Group{Instances: 1}}
	k.Next(s)
	s.Now = s.Now.Add(DefaultDeadline)
	require.Equal(t, RolledBack, k.Next(s).Phase)
}

// A step begins when its instances are available, and lasts for its pause.
func TestCanarySteps(t *testing.T) {
	k, err := Canary{Steps: []Step{{0.1, time.Minute}, {0.55, time.Minute}}}.Begin(start)
	require.NoError(t, err)
	s := State{Now: start, Wanted: 10, Old: Group{Instances: 10, Available: 10}}
	require.Equal(t, Action{Old: 10, New: 1, Reason: "step 1: 0 of 1 available"}, k.Next(s))
	s.New = Group{Instances: 1, Available: 1}
	require.Equal(t, Action{Old: 10, New: 1, Share: 0.1, Reason: "step 1: 10% of the requests"}, k.Next(s))
	s.Now = s.Now.Add(time.Minute - 1)
	require.Equal(t, 0.1, k.Next(s).Share)
	s.Now = s.Now.Add(1)
	require.Equal(t, Action{Old: 10, New: 6, Share: 0.1, Reason: "step 2: 1 of 6 available"}, k.Next(s))
}

// A bad version stays for as long as there is nobody else to serve.
func TestCanaryStaysUntilTheOldAreBack(t *testing.T) {
	bad := Analysis{Judge: func(old, fresh Group) string { return "bad" }}
	k, err := Canary{Steps: []Step{{0.5, time.Hour}}, Analysis: bad}.Begin(start)
	require.NoError(t, err)
	s := State{Now: start.Add(time.Minute), Wanted: 2, Old: Group{Instances: 2}, New: Group{Instances: 1, Available: 1, Requests: 100}}
	require.Equal(t, Action{Old: 2, New: 1, Share: alike, Phase: Progressing, Reason: "bad"}, k.Next(s))
	gone := Action{Old: 2, Phase: RolledBack, Reason: "bad"}
	for _, other := range []State{
		{Wanted: 2, Old: Group{Instances: 2, Available: 1}, New: s.New},
		{Wanted: 2, Old: s.Old, New: Group{Instances: 1}},
	} {
		require.Equal(t, gone, k.Next(other))
	}
	require.Equal(t, RolledBack, k.Next(State{Old: s.Old, New: s.New}).Phase, "nothing is wanted")
}

// Better is a new instance, one that becomes available, and an old one that goes: the deadline begins again.
func TestWhatIsBetter(t *testing.T) {
	s := State{Now: start, Old: Group{Instances: 3}, New: Group{Instances: 2, Available: 1}}
	for name, change := range map[string]func(*State){
		"nothing":        func(*State) {},
		"a new one":      func(s *State) { s.New.Instances++ },
		"one available":  func(s *State) { s.New.Available++ },
		"an old one":     func(s *State) { s.Old.Instances-- },
		"one for one":    func(s *State) { s.Old.Instances++; s.New.Instances++ },
		"one less again": func(s *State) { s.New.Available-- },
	} {
		p := progress{deadline: time.Minute, last: start}
		require.False(t, p.late(s))
		later := s
		later.Now = start.Add(time.Minute)
		change(&later)
		better := name == "a new one" || name == "one available" || name == "an old one"
		require.Equal(t, !better, p.late(later), name)
	}
}

func TestBadStrategies(t *testing.T) {
	for want, s := range map[string]Strategy{
		"rollout: Update.MaxSurge: -1 is negative":                                              Update{MaxSurge: Count(-1)},
		"rollout: Update.MaxUnavailable: 0 is 0, as MaxSurge is: no instance could be replaced": Update{MaxSurge: Count(0), MaxUnavailable: Share(0)},
		"rollout: Update.MaxUnavailable: 120% is over 100%":                                     Update{MaxUnavailable: Share(1.2)},
		"rollout: Update.MinReady: 10m0s is not below Deadline, 10m0s":                          Update{MinReady: 10 * time.Minute},
		"rollout: BlueGreen.MinReady: 10m0s is not below Deadline, 10m0s":                       BlueGreen{MinReady: 10 * time.Minute},
		"rollout: Canary.MinReady: 10m0s is not below Deadline, 10m0s":                          Canary{Steps: []Step{{Share: 0.5}}, MinReady: 10 * time.Minute},
		"rollout: Canary.Steps[0].Share: 0 is not between 0 and 1":                              Canary{Steps: []Step{{}}},
		"rollout: BlueGreen.Keep: -1s is negative":                                              BlueGreen{Keep: -time.Second},
		"rollout: Canary.Steps: [] is empty":                                                    Canary{},
		"rollout: Canary.Steps[1].Share: 0.1 is not above the share before":                     Canary{Steps: []Step{{Share: 0.1}, {Share: 0.1}}},
		"rollout: Canary.Steps[0].Share: 1 is not between 0 and 1":                              Canary{Steps: []Step{{Share: 1}}},
		"rollout: Canary.Analysis.MaxFailed: 0.1 contradicts NoFailed":                          Canary{Steps: []Step{{Share: 0.5}}, Analysis: Analysis{MaxFailed: 0.1, NoFailed: true}},
	} {
		_, err := s.Begin(start)
		require.EqualError(t, err, want)
	}
	_, err := Update{MaxUnavailable: Share(1)}.Begin(start)
	require.NoError(t, err, "all of them")
}
