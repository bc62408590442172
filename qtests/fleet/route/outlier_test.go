package route

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answer gives the target n results with the status.
func answer(t *testing.T, b *Balancer, now time.Time, id string, n, status int) {
	t.Helper()
	for range n {
		target := b.Target(id)
		target.Active++
		b.Done(now, target, time.Millisecond, status)
	}
}

func at(d time.Duration) time.Time { return start.Add(d) }

func TestErrorsInARow(t *testing.T) {
	b := balancerOf(t, Config{Outliers: &Outliers{}}, 10)
	answer(t, b, start, "0", 4, 500)
	answer(t, b, start, "0", 1, 200)
	answer(t, b, start, "0", 4, 503)
	require.False(t, b.Target("0").Ejected(), "four in a row, twice")
	answer(t, b, start, "0", 1, 0)
	require.True(t, b.Target("0").Ejected())
	for range 30 {
		target, err := b.Pick(start, Request{})
		require.NoError(t, err)
		require.NotEqual(t, "0", target.ID)
	}
	answer(t, b, start, "1", 100, 500)
	require.False(t, b.Target("1").Ejected(), "no more than 10% of ten")
}

// A target that the chance spares for its gateway errors is still ejected for its errors in a row, which are the same five.
func TestBothCountsAreJudged(t *testing.T) {
	b := balancerOf(t, Config{Outliers: &Outliers{EnforceGateway: 1e-12}}, 10)
	answer(t, b, start, "0", 5, 503)
	all, _ := b.Ejections()
	require.Equal(t, []Ejection{{At: start, Target: "0", Out: true, Why: "5 errors in a row"}}, all)

	b = balancerOf(t, Config{Outliers: &Outliers{EnforceGateway: 1}}, 10)
	answer(t, b, start, "0", 5, 503)
	all, _ = b.Ejections()
	require.Equal(t, []Ejection{{At: start, Target: "0", Out: true, Why: "5 gateway errors in a row"}}, all)
}

// The k-th ejection lasts k times 30 s, and at most 300 s; it ends at a sweep. A sweep without
// ejection makes k one less.
func TestEjectionsGrow(t *testing.T) {
	b := balancerOf(t, Config{Outliers: &Outliers{}}, 2)
	now := start
	var lengths []time.Duration
	for range 12 {
		answer(t, b, now, "0", 5, 500)
		require.True(t, b.Target("0").Ejected())
		began := now
		for b.Target("0").Ejected() {
			now = now.Add(10 * time.Second)
			b.Sweep(now)
		}
		lengths = append(lengths, now.Sub(began)/time.Second)
	}
	require.Equal(t, []time.Duration{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300}, lengths)
	for range 11 {
		now = now.Add(10 * time.Second)
		b.Sweep(now)
	}
	answer(t, b, now, "0", 5, 500)
	b.Sweep(now.Add(30 * time.Second))
	require.True(t, b.Target("0").Ejected(), "the second: 12 - 11 + 1")
	b.Sweep(now.Add(60 * time.Second))
	require.False(t, b.Target("0").Ejected())
	all, dropped := b.Ejections()
	require.Zero(t, dropped)
	require.Equal(t, Ejection{At: start, Target: "0", Out: true, Why: "5 errors in a row"}, all[0])
	require.Equal(t, Ejection{At: at(30 * time.Second), Target: "0"}, all[1])
}

// Nine with 100% and one with 90%: mean 0.99, deviation 0.03, so 0.933 is the least.
func TestSuccessRate(t *testing.T) {
	for _, tc := range []struct {
		name         string
		good, bad, n int
		want         bool
	}{
		{"far below the mean", 100, 90, 10, true},
		{"too few requests", 99, 89, 10, false},
		{"too few hosts", 100, 10, 4, false},
		{"all alike", 100, 100, 10, false},
	} {
		b := balancerOf(t, Config{Outliers: &Outliers{ConsecutiveErrors: 1000}}, tc.n)
		for _, target := range b.Targets() {
			if target.ID != "3" {
				answer(t, b, start, target.ID, tc.good, 200)
			}
		}
		answer(t, b, start, "3", tc.bad, 200)
		answer(t, b, start, "3", tc.good-tc.bad, 500)
		b.Sweep(at(10 * time.Second))
		require.Equal(t, tc.want, b.Target("3").Ejected(), tc.name)
		require.False(t, b.Target("0").Ejected(), tc.name)
	}
}

func TestFailureShare(t *testing.T) {
	for _, enforce := range []float64{0, 1} {
		b := balancerOf(t, Config{Outliers: &Outliers{ConsecutiveErrors: 1000, NoSuccess: true, EnforceFailureShare: enforce}}, 5)
		for _, id := range []string{"1", "2", "3", "4"} {
			answer(t, b, start, id, 50, 200)
		}
		answer(t, b, start, "0", 7, 200)
		answer(t, b, start, "0", 43, 500) // 86%
		b.Sweep(at(10 * time.Second))
		require.Equal(t, enforce == 1, b.Target("0").Ejected())
		require.False(t, b.Target("1").Ejected())
		if all, _ := b.Ejections(); enforce == 1 {
			require.Equal(t, "0.86 of its requests failed", all[0].Why)
		}
	}
	for ok, want := range map[int]bool{26: false, 25: true} {
		b := balancerOf(t, Config{Outliers: &Outliers{ConsecutiveErrors: 1000, NoSuccess: true, EnforceFailureShare: 1, FailureShare: 0.5, FailureHosts: 1}}, 5)
		answer(t, b, start, "0", ok, 200)
		answer(t, b, start, "0", 50-ok, 500)
		b.Sweep(at(10 * time.Second))
		require.Equal(t, want, b.Target("0").Ejected(), "a share of just one half is enough")
	}
}

func TestEjectionsAreBounded(t *testing.T) {
	b := balancerOf(t, Config{Outliers: &Outliers{}}, 1)
	for i := range MaxEjections/2 + 1 {
		answer(t, b, at(time.Duration(i)*time.Hour), "0", 5, 500)
		b.Sweep(at(time.Duration(i)*time.Hour + 30*time.Minute))
	}
	all, dropped := b.Ejections()
	require.Len(t, all, MaxEjections)
	require.EqualValues(t, 2, dropped)
}

func TestGatewayErrors(t *testing.T) {
	b := balancerOf(t, Config{Outliers: &Outliers{NoErrors: true, EnforceGateway: 1, ConsecutiveGateway: 3}}, 10)
	answer(t, b, start, "0", 2, 502)
	answer(t, b, start, "0", 10, 500)
	require.False(t, b.Target("0").Ejected(), "500 is no gateway error")
	answer(t, b, start, "0", 1, 503)
	answer(t, b, start, "0", 1, 504)
	answer(t, b, start, "0", 1, 0)
	require.True(t, b.Target("0").Ejected())
}

func TestMaxEjected(t *testing.T) {
	for _, tc := range []struct {
		n    int
		cfg  Outliers
		want int
	}{
		{3, Outliers{}, 1},
		{3, Outliers{NeverLone: true}, 0},
		{10, Outliers{MaxEjected: 0.5}, 5},
		{10, Outliers{MaxEjected: 0.49}, 4},
		{10, Outliers{MaxEjected: 1}, 10},
	} {
		b := balancerOf(t, Config{Outliers: &tc.cfg}, tc.n)
		got := 0
		for _, target := range b.Targets() {
			answer(t, b, start, target.ID, 5, 500)
			if target.Ejected() {
				got++
			}
		}
		require.Equal(t, tc.want, got, "%+v", tc)
	}
}

// A result that comes after its target has left, and a given up request, judge nobody.
func TestLateResults(t *testing.T) {
	b := balancerOf(t, Config{Outliers: &Outliers{}}, 2)
	gone := b.Target("0")
	gone.Active = 5
	b.Remove("0")
	for range 5 {
		b.Done(start, gone, time.Second, 500)
	}
	require.Zero(t, gone.Active)
	answer(t, b, start, "1", 4, 500)
	answer(t, b, start, "1", 50, -1)
	all, _ := b.Ejections()
	require.Empty(t, all)
	answer(t, b, start, "1", 1, 500)
	require.True(t, b.Target("1").Ejected(), "given up is no success either")
}

func TestPanic(t *testing.T) {
	for _, tc := range []struct {
		cfg     Config
		failing int
		want    int // targets that get requests
		err     bool
	}{
		{Config{}, 5, 5, false},
		{Config{}, 6, 10, false},
		{Config{PanicShare: 0.7}, 4, 10, false},
		{Config{NoPanic: true}, 9, 1, false},
		{Config{NoPanic: true}, 10, 0, true},
	} {
		b := balancerOf(t, tc.cfg, 10)
		for _, target := range b.Targets()[:tc.failing] {
			b.SetFailing(target.ID, true)
		}
		seen := map[string]bool{}
		for range 100 {
			target, err := b.Pick(start, Request{})
			if tc.err {
				require.ErrorIs(t, err, ErrNoTarget)
				continue
			}
			require.NoError(t, err)
			seen[target.ID] = true
		}
		require.Len(t, seen, tc.want, "%+v", tc)
		require.Equal(t, map[bool]uint64{true: 100}[tc.want == 10], b.Panics())
	}
}

func TestNarrowedPicks(t *testing.T) {
	b := balancerOf(t, Config{}, 3)
	only := func(id string) func(*Target) bool { return func(t *Target) bool { return t.ID == id } }
	target, err := b.Pick(start, Request{Within: only("2"), Exclude: only("2")})
	require.NoError(t, err, "an exclusion of all is not heeded")
	require.Equal(t, "2", target.ID)
	_, err = b.Pick(start, Request{Within: only("7")})
	require.ErrorIs(t, err, ErrNoTarget)
	for range 9 {
		target, err = b.Pick(start, Request{Exclude: only("1")})
		require.NoError(t, err)
		require.NotEqual(t, "1", target.ID)
	}
}

func TestBadConfigs(t *testing.T) {
	for want, cfg := range map[string]Config{
		"route: Config.PanicShare: 2 is not between 0 and 1":              {PanicShare: 2},
		"route: Config.PanicShare: 0.3 contradicts NoPanic":               {PanicShare: 0.3, NoPanic: true},
		"route: Outliers.Interval: -1s is negative":                       {Outliers: &Outliers{Interval: -time.Second}},
		"route: Outliers.MaxEjection: 20s is below BaseEjection":          {Outliers: &Outliers{MaxEjection: 20 * time.Second}},
		"route: Outliers.EnforceErrors: 0.5 contradicts NoErrors":         {Outliers: &Outliers{EnforceErrors: 0.5, NoErrors: true}},
		"route: Outliers.MaxEjected: 10 is not between 0 and 1":           {Outliers: &Outliers{MaxEjected: 10}},
		"route: Outliers.SuccessStdev: -1.9 is not a finite number >= 0":  {Outliers: &Outliers{SuccessStdev: -1.9}},
		"route: Outliers.EnforceSuccess: 1 contradicts NoSuccess":         {Outliers: &Outliers{EnforceSuccess: 1, NoSuccess: true}},
		"route: Outliers.ConsecutiveErrors: -5 is negative":               {Outliers: &Outliers{ConsecutiveErrors: -5}},
		"route: Outliers.EnforceFailureShare: 1.5 is not between 0 and 1": {Outliers: &Outliers{EnforceFailureShare: 1.5}},
	} {
		_, err := New(cfg)
		require.EqualError(t, err, want)
	}
	b := balancerOf(t, Config{}, 1)
	for want, weight := range map[string]float64{"route: Target.Weight: 0 of x is not a finite number above 0": 0, "route: Target.Weight: -1 of x is not a finite number above 0": -1} {
		_, err := b.Add("x", "", weight)
		require.EqualError(t, err, want)
	}
	_, err := b.Add("0", "", 1)
	require.EqualError(t, err, "route: Target.ID: 0 is there already")
	_, err = b.Add("", "", 1)
	require.EqualError(t, err, "route: Target.ID: is empty")
	require.Zero(t, b.Interval(), "nothing is ejected")
	require.Equal(t, 10*time.Second, balancerOf(t, Config{Outliers: &Outliers{}}, 1).Interval())
	for _, cfg := range []Config{{PanicShare: 1}, {Outliers: &Outliers{MaxEjection: 30 * time.Second}}} {
		_, err := New(cfg)
		require.NoError(t, err)
	}
	for share, bad := range map[float64]bool{-0.1: true, 0: false, 0.5: false, 1: false, 2: true} {
		err := (&Budget{Share: share}).Check()
		require.Equal(t, bad, err != nil, share)
		if bad {
			require.EqualError(t, err, fmt.Sprintf("route: Budget.Share: %v is not between 0 and 1", share))
		}
	}
}

func TestBudget(t *testing.T) {
	take := func(b *Budget, active int) (n int) {
		for range active {
			b.Begin()
		}
		for b.Take() {
			n++
		}
		return n
	}
	require.Equal(t, 3, take(&Budget{}, 5), "the least")
	require.Equal(t, 20, take(&Budget{}, 100))
	require.Equal(t, 50, take(&Budget{Share: 0.5}, 100))
	require.Equal(t, 0, take(&Budget{Min: -1}, 4))
	b := &Budget{}
	require.Equal(t, 20, take(b, 100))
	for range 50 {
		b.End()
	}
	for range 11 {
		require.False(t, b.Take())
		b.Give()
	}
	require.True(t, b.Take(), "9 of 50 are under way")
	b = &Budget{}
	require.Equal(t, 3, take(b, 1))
	b.Give()
	require.True(t, b.Take())
	require.False(t, b.Take())
	require.Equal(t, uint64(2), b.Refused())
}
