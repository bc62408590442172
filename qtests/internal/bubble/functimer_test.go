package bubble

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFuncTimerMayFire at the instant that it has claimed, and on the nanosecond that it has for itself.
func TestFuncTimerMayFire(t *testing.T) {
	for _, c := range []struct {
		now, own int64
		want     bool
	}{
		{5_000_001, -1, true},
		{5_000_002, -1, false},
		{6_000_001, -1, false},
		{6_000_007, 7, true},
		{6_000_008, 7, false},
		{5_000_001, 7, true},
	} {
		timer := funcTimer{planned: claim{raw: 5_000_001, nominal: 5_000_000}, own: c.own}
		require.Equal(t, c.want, timer.mayFire(c.now), c)
	}
}

// TestFuncTimerDueAt: the displacement of the function that reset the timer is taken off; where another one did, what is less
// than a microsecond is.
func TestFuncTimerDueAt(t *testing.T) {
	const nominal = 5_000_250
	for _, c := range []struct {
		name                     string
		behind, now, stretch, at int64 // but for stretch, from nominal on
	}{
		{"its own function, after 2 µs", 3, 2_003, 9, 2_000},
		{"its own function, after half a microsecond", 3, 503, 9, 500},
		{"its own function, far behind", 1_500, 3_500, 2_000, 2_000},
		{"another one, displaced by 5", 3, 2_005, 9, 2_000},
		{"another one, displaced as far as any", 3, 2_009, 9, 2_000},
		{"farther than any was displaced", 3, 2_010, 9, 2_007},
		{"another one, not displaced", 3, 2_000, 9, 2_000},
		{"never before it was last", 3, 1, 0, 0},
	} {
		timer := funcTimer{last: claim{raw: nominal + c.behind, nominal: nominal}}
		require.EqualValues(t, nominal+c.at, timer.dueAt(nominal+c.now, c.stretch), c.name)
	}
}
