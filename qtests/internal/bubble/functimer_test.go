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
	last := claim{raw: 5_000_003, nominal: 5_000_000} // displaced by 3
	for _, c := range []struct {
		name               string
		now, stretch, want int64
	}{
		{"its own function, after 2 µs", 5_002_003, 9, 5_002_000},
		{"its own function, after half a microsecond", 5_000_503, 9, 5_000_500},
		{"another one, displaced by 5", 5_002_005, 9, 5_002_000},
		{"another one, displaced as far as any", 5_002_009, 9, 5_002_000},
		{"farther than any was displaced", 5_002_010, 9, 5_002_007},
		{"another one, not displaced", 5_002_000, 9, 5_002_000},
		{"never before it was last", 5_000_001, 0, 5_000_000},
	} {
		timer := funcTimer{last: last}
		require.Equal(t, c.want, timer.dueAt(c.now, c.stretch), c.name)
	}
}
