package shed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestKneeServesExactlyItsShare(t *testing.T) {
	knee, ok := Curve{{100, 50}, {200, 99}}.Knee(0.5)
	require.True(t, ok)
	require.Equal(t, 100.0, knee)
}

func TestGoodputCountsEveryEnd(t *testing.T) {
	require.Equal(t, 1.0, Counts{}.Goodput())
	require.Equal(t, 1.0, Counts{Offered: 3, Admitted: 3}.Goodput(), "none has ended")
	for name, c := range map[string]Counts{
		"dropped": {Served: 1, Dropped: 3}, "cancelled": {Served: 1, Cancelled: 3}, "refused": {Served: 1, Refused: 3}, "given up": {Served: 1, GivenUp: 3},
		"all": {Served: 4, Dropped: 2, Cancelled: 3, Refused: 6, GivenUp: 1},
	} {
		require.Equal(t, 0.25, c.Goodput(), name)
	}
}

// TestClassesThatComeBack: a class that was away while others were served gets no credit for it.
func TestClassesThatComeBack(t *testing.T) {
	x := newClasses([]Class{{Name: "a"}, {Name: "b", Weight: 2}}, Queue{Max: 10})
	join := func(name string) *waiter {
		w := &waiter{class: x.byName[name], since: start}
		x.join(w)
		return w
	}
	var waiting []*waiter
	for range 8 {
		waiting = append(waiting, join("a"))
	}
	require.Equal(t, 8, x.waiting)
	for range 4 {
		best := x.best()
		require.Equal(t, "a", best.Name)
		require.True(t, x.leave(waiting[0]))
		require.False(t, x.leave(waiting[0]), "it has left")
		waiting = waiting[1:]
		x.charge(best)
	}
	require.Equal(t, 4, x.waiting)
	b := x.byName["b"]
	join("b")
	require.Equal(t, x.virtual, b.used, "it begins where the others are")
	x.charge(b)
	used := b.used
	join("b")
	require.Equal(t, used, b.used, "who waits already keeps what was used")
	b.used = 0
	join("b")
	require.Zero(t, b.used)
}

// TestWaitedExactlyAsLongAsOneMay: it is admitted.
func TestWaitedExactlyAsLongAsOneMay(t *testing.T) {
	for at, refused := range map[time.Duration]int{DefaultInterval: 0, DefaultInterval + 1: 1} {
		l := &line{cfg: Queue{Max: 1, AdaptiveLIFO: true}.withDefaults()}
		l.push(&waiter{since: start})
		got, refuse := l.next(start.Add(at))
		require.Len(t, refuse, refused, at)
		require.Equal(t, refused == 0, got != nil)
	}
}

// TestThrottleRefusesBelowItsChance: a draw of the chance itself passes, and so does every draw while it is 0.
func TestThrottleRefusesBelowItsChance(t *testing.T) {
	draw := 0.0
	th, err := NewThrottle(ThrottleConfig{Rand: func() float64 { return draw }})
	require.NoError(t, err)
	require.True(t, th.Allow(), "the chance is 0")
	th.Result(true)
	require.Equal(t, ThrottleStats{Offered: 1, Sent: 1, Accepted: 1}, th.Stats())
	draw = 1
	for range 3 {
		require.True(t, th.Allow())
		th.Result(false)
	}
	require.Equal(t, 0.4, th.Stats().Chance, "(4-2·1)/(4+1)")
	draw = 0.4
	require.True(t, th.Allow())
	draw = th.Stats().Chance - 1e-9
	require.False(t, th.Allow())
	x := th.Stats()
	x.Chance = 0
	require.Equal(t, ThrottleStats{Offered: 6, Sent: 5, Refused: 1, Accepted: 1}, x)
}
