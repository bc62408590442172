package compare

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOrder(t *testing.T) {
	const n = 4
	places := make([][n]int, n)
	for round := range 2 * n {
		turns := order(round, n)
		for place, who := range turns {
			places[who][place]++
		}
		slices.Sort(turns)
		require.Equal(t, []int{0, 1, 2, 3}, turns, "everybody has one turn in round %d", round)
	}
	for who, counts := range places {
		require.Equal(t, [n]int{2, 2, 2, 2}, counts, "places of %d", who)
	}
	require.Empty(t, order(3, 0))
}

// TestOrderChanges has everybody follow everybody, in a trio.
func TestOrderChanges(t *testing.T) {
	for round, want := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}, {2, 0, 1}, {1, 0, 2}, {0, 1, 2}} {
		require.Equal(t, want, order(round, 3), "round %d", round)
	}
}

// TestTurns has every contestant write down when it has its turn, and how often
// garbage was collected on demand by then.
func TestTurns(t *testing.T) {
	var turns []string
	var collected []uint32
	note := func(name string) Work {
		return Measured(func(testing.TB) func(Size) (Readings, error) {
			return func(Size) (Readings, error) {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				turns, collected = append(turns, name), append(collected, m.NumForcedGC)
				return Readings{Time: 1}, nil
			}
		})
	}
	Run(t, &Comparison{
		Name:        "c",
		Contestants: []Contestant{Ours(note("a")), Peer("b", note("b")), Peer("c", note("c"))},
		Figures:     []Figure{TimeOf()},
	}, Options{Rounds: 3})
	require.Equal(t, "abc"+"cba"+"bca", strings.Join(turns, ""))
	for i := range collected[1:] {
		require.Equal(t, collected[i]+1, collected[i+1], "before turn %d", i+1)
	}
}

// counting is work that notes how much of it is done.
func counting(ops *int, took time.Duration) Work {
	return Timed(func(testing.TB) func(n int) error {
		return func(n int) error {
			*ops += n
			time.Sleep(took)
			return nil
		}
	})
}

func TestRun(t *testing.T) {
	setups, timed, measured := 0, 0, 0
	c := &Comparison{
		Name:  "c",
		Setup: func(testing.TB) { setups++ },
		Contestants: []Contestant{
			Ours(counting(&timed, time.Millisecond)),
			Peer("peer", Measured(func(testing.TB) func(Size) (Readings, error) {
				return func(size Size) (Readings, error) {
					measured += size.Pick(1, 100)
					return Readings{Time: 1}, nil
				}
			})),
			{Name: "absent", Role: RolePeer, Absent: "not here"},
		},
		Figures: []Figure{TimeOf()},
	}
	r := Run(t, c, Options{Size: Full, Rounds: 3, Turn: time.Millisecond})
	require.Equal(t, 1, setups)
	require.Len(t, r.Turns, 3)
	require.NotZero(t, timed)
	require.Equal(t, 1+3*100, measured, "a small one to warm up, then three rounds")
	require.Equal(t, 1.0, r.Median("peer", Time))
	require.Positive(t, r.Median(OursName, Time))
	require.True(t, math.IsNaN(r.Median("absent", Time)))

	c.Rounds = 2
	require.Len(t, Run(t, c, Options{Size: Full, Rounds: 3, Turn: time.Millisecond}).Turns, 2)
	require.Len(t, Run(t, c, SmokeRun).Turns, 1)
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name     string
		figure   Figure
		readings map[string][]float64
		want     string
	}{
		{"fine", Figure{}, map[string][]float64{OursName: {1}, "peer": {2}}, ""},
		{"no peer", Figure{}, map[string][]float64{OursName: {1}}, ""},
		{"not ours", Figure{}, map[string][]float64{"peer": {1}}, "qtests has no figure"},
		{"zero", Figure{}, map[string][]float64{OursName: {1}, "peer": {0}}, "peer: the figure is 0"},
		{"zero that may be", Figure{MayBeZero: true}, map[string][]float64{OursName: {0}, "peer": {-1}}, ""},
		{"not a number", Figure{MayBeZero: true}, map[string][]float64{OursName: {math.NaN()}}, "the figure is NaN"},
		{"infinite", Figure{}, map[string][]float64{OursName: {math.Inf(1)}}, "the figure is +Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := result(c.figure, c.readings, trio...).check()
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

// TestRepeats takes its time in a bubble, where it is exact.
func TestRepeats(t *testing.T) {
	for _, c := range []struct {
		name            string
		setup, op, turn time.Duration
		want            int
	}{
		{"quick", 0, 10 * time.Microsecond, 100 * time.Millisecond, 10_000},
		{"very quick", 0, time.Nanosecond, 100 * time.Millisecond, 100_000_000},
		{"with a share that is always the same", 20 * time.Millisecond, 10 * time.Microsecond, 100 * time.Millisecond, 8_000},
		{"longer than a turn", 0, time.Second, 100 * time.Millisecond, 1},
		{"no time at all", 0, 0, time.Second, 1_000_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, err := repeats(func(n int) error {
					time.Sleep(c.setup + time.Duration(n)*c.op)
					return nil
				}, c.turn)
				require.NoError(t, err)
				require.InEpsilon(t, c.want, n, 0.3)
			})
		})
	}
	_, err := repeats(func(int) error { return errTest }, time.Second)
	require.ErrorIs(t, err, errTest)
}
