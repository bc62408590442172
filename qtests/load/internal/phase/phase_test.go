package phase

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryTurnInEveryPhase holds the table against the rules in words.
func TestEveryTurnInEveryPhase(t *testing.T) {
	for p := Arriving; int(p) < phases; p++ {
		for x := Exhaust; int(x) < turns; x++ {
			want := p
			switch {
			case x == Exhaust && p == Arriving:
				want = Exhausted
			case x == Spend && p < Spent:
				want = Spent
			case x == Stop && p < Draining:
				want = Draining
			case x == Hurry && p == Draining:
				want = Hurried
			case x == Rest && (p == Draining || p == Hurried):
				want = Idle
			case x == Finish && p >= Draining:
				want = Closed
			}
			m := New()
			m.now = p
			require.Equal(t, want != p, m.Turn(x), "phase %d, turn %d", p, x)
			require.Equal(t, want, m.now, "phase %d, turn %d", p, x)
			require.Equal(t, want >= Draining, m.Stopped())
			for i, c := range m.reached {
				select {
				case <-c:
					require.True(t, want != p && int(want) == i, "only the new phase is reached")
				default:
					require.False(t, want != p && int(want) == i, "the new phase is reached")
				}
			}
		}
	}
}

// TestPhasesOnlyGoForward is why no channel is Closed twice.
func TestPhasesOnlyGoForward(t *testing.T) {
	for from, row := range transitions {
		for x, to := range row {
			require.True(t, to == 0 || int(to) > from, "phase %d, turn %d", from, x)
		}
	}
}
