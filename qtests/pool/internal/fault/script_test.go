package fault

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPick(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	for _, c := range []struct {
		chances []Chance
		u       float64
		want    error
	}{
		{nil, 0, nil},
		{[]Chance{{0, a}}, 0, nil},
		{[]Chance{{1, a}}, 0.999, a},
		{[]Chance{{0.25, a}}, 0.2499, a},
		{[]Chance{{0.25, a}}, 0.25, nil},
		{[]Chance{{0.5, a}, {0.5, b}}, 0.4999, a},
		{[]Chance{{0.5, a}, {0.5, b}}, 0.5, b},
		{[]Chance{{0.5, a}, {0.5, b}}, 0.7499, b}, // half of the half that a leaves
		{[]Chance{{0.5, a}, {0.5, b}}, 0.75, nil},
		{[]Chance{{1, a}, {1, b}}, 0.9, a},
	} {
		require.Equal(t, c.want, pick(c.chances, c.u), "%v at %v", c.chances, c.u)
	}
}

func TestStretchSaturates(t *testing.T) {
	require.Equal(t, 3*time.Second, stretch(time.Second, 3))
	require.Equal(t, time.Duration(math.MaxInt64), stretch(time.Hour, 1e300))
	require.Equal(t, time.Duration(math.MaxInt64), stretch(1<<62, 2), "one too many")
	require.Equal(t, time.Duration(math.MaxInt64), stretch(math.MaxInt64, 1), "a factor of 1 changes nothing")
}

func TestScriptCombinesOverlappingFaults(t *testing.T) {
	s := &Script{}
	stub := &struct{ int }{}
	on, other := Targets{stub}, Targets{&struct{ int }{}}
	double, triple := &Fault{Kind: Slow, X: 2}, &Fault{Kind: Slow, X: 3, On: stub}
	s = s.begin(double).begin(triple).begin(double)
	require.Equal(t, 12.0, s.slowdown(on))
	require.Equal(t, 4.0, s.slowdown(other))
	end := func() (ended bool) {
		s, ended = s.end(double)
		return ended
	}
	require.True(t, end())
	require.Equal(t, 6.0, s.slowdown(on), "each end undoes one begin")
	require.True(t, end())
	require.False(t, end(), "more ends than begins")
	require.Equal(t, 3.0, s.slowdown(on))

	s = s.begin(&Fault{Kind: Capacity, X: 5}).begin(&Fault{Kind: Capacity, X: 3})
	require.Equal(t, 3.0, s.Lowest(Capacity, Targets{}, 20))
	require.Equal(t, 2.0, s.Lowest(Capacity, Targets{}, 2))
}
