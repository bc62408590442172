package load

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryTurnInEveryPhase holds the table against the rules in words.
func TestEveryTurnInEveryPhase(t *testing.T) {
	for p := arriving; int(p) < phases; p++ {
		for x := exhaust; int(x) < turns; x++ {
			want := p
			switch {
			case x == exhaust && p == arriving:
				want = exhausted
			case x == spend && p < spent:
				want = spent
			case x == stop && p < draining:
				want = draining
			case x == hurry && p == draining:
				want = hurried
			case x == rest && (p == draining || p == hurried):
				want = idle
			case x == finish && p >= draining:
				want = closed
			}
			m := newMachine()
			m.now = p
			require.Equal(t, want != p, m.turn(x), "phase %d, turn %d", p, x)
			require.Equal(t, want, m.now, "phase %d, turn %d", p, x)
			require.Equal(t, want >= draining, m.stopped())
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

// TestPhasesOnlyGoForward is why no channel is closed twice.
func TestPhasesOnlyGoForward(t *testing.T) {
	for from, row := range transitions {
		for x, to := range row {
			require.True(t, to == 0 || int(to) > from, "phase %d, turn %d", from, x)
		}
	}
}
