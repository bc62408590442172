package section

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStepsKeepTheLargestOfEachInterval(t *testing.T) {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int, v float64) Step { return Step{start.Add(time.Duration(s) * time.Second), v} }
	c := Steps("replicas", start, start.Add(10*time.Second), 5, 3, []Step{at(-5, 1), at(3, 8), at(3, 2), at(6, 4), at(20, 9)})
	require.Equal(t, Curve{Name: "replicas", Width: 2 * time.Second, Values: []float64{1, 8, 2, 4, 4}}, c)
	require.Equal(t, []float64{5, 1}, Steps("down", start, start.Add(4*time.Second), 2, 5, []Step{at(2, 1)}).Values, "a step at the border counts from there on")
	require.Equal(t, []float64{3, 3, 3}, Steps("none", start, start.Add(3*time.Second), 3, 3, nil).Values)
	require.Equal(t, Curve{Name: "no time", Width: time.Millisecond, Values: []float64{7}}, Steps("no time", start, start, 10, 7, nil))
	require.Len(t, Steps("uneven", start, start.Add(time.Second), 7, 0, nil).Values, 7)
}

func TestBounded(t *testing.T) {
	var rows [][]string
	for i := range MaxRows + 5 {
		rows = append(rows, []string{fmt.Sprint(i)})
	}
	big := Section{Title: "big", Tables: []Table{{Head: []string{"n"}, Rows: rows}}, Charts: []Chart{{Curves: []Curve{{Width: 1, Values: make([]float64, MaxValues+1)}}}}}
	got, err := big.Bounded()
	require.NoError(t, err)
	require.Len(t, got.Tables[0].Rows, MaxRows)
	require.Equal(t, 5, got.Tables[0].More)
	require.Len(t, got.Charts[0].Curves[0].Values, MaxValues)
	require.Zero(t, big.Tables[0].More, "the value that it was called on stays")
	for want, bad := range map[string]Section{
		`section "s": table "t": row 1 has 2 cells, and the head 1`:   {Title: "s", Tables: []Table{{Title: "t", Head: []string{"a"}, Rows: [][]string{{"1"}, {"1", "2"}}}}},
		`section "s": chart "c": curve "x": Width: 0s is not above 0`: {Title: "s", Charts: []Chart{{Title: "c", Curves: []Curve{{Name: "x"}}}}},
		`section "s": chart "c": curve "x": value 0 is +Inf`:          {Title: "s", Charts: []Chart{{Title: "c", Curves: []Curve{{Name: "x", Width: 1, Values: []float64{math.Inf(1), 0}}}}}},
		`section "s": chart "c": curve "x": value 1 is NaN`:           {Title: "s", Charts: []Chart{{Title: "c", Curves: []Curve{{Name: "x", Width: 1, Values: []float64{0, math.NaN()}}}}}},
	} {
		_, err := bad.Bounded()
		require.EqualError(t, err, want)
	}
	require.True(t, Section{Title: "x", Tables: []Table{{Head: []string{"a"}}}}.Empty())
	require.False(t, Section{Lines: []string{"a"}}.Empty())
}
