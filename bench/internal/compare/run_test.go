package compare

import (
	"math"
	"slices"
	"testing"
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

func TestRepeats(t *testing.T) {
	largest := 0
	n, err := repeats(func(n int) error {
		largest = max(largest, n)
		for deadline := time.Now().Add(time.Duration(n) * 10 * time.Microsecond); time.Now().Before(deadline); {
			continue
		}
		return nil
	}, 2*time.Millisecond)
	require.NoError(t, err)
	require.Positive(t, n)
	require.NotZero(t, largest)
	_, err = repeats(func(int) error { return errTest }, time.Second)
	require.ErrorIs(t, err, errTest)
}
