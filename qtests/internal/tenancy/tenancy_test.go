package tenancy

import (
	"testing"
	"testing/synctest"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// TestTenancyOfOwnClock: a component with the clock of a bubble is looked at less
// often, and at its first use in any case.
func TestTenancyOfOwnClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here := &Tenant{Home: &Home{}}
		Enter(here)
		defer Leave(here)
		here.Home.Bubble()
		clk := bubble.NewClock()
		before := present.Swap(several)
		defer present.Store(before)
		var shared Tenancy
		for range 2 * ownClockEvery {
			require.NoError(t, shared.Use(clk, "pool", "db"))
			require.Contains(t, []uint64{here.serial, 0}, shared.tenant.Load())
			require.Equal(t, shared.uses.Load()%ownClockEvery == 1, shared.tenant.Swap(0) != 0)
		}
	})
}

// TestEnterAndLeave: how many bubbles there are, and which; only where there is another one is the runtime's number asked for.
func TestEnterAndLeave(t *testing.T) {
	first, second := &Tenant{Home: &Home{}}, &Tenant{Home: &Home{}}
	require.EqualValues(t, nobody, present.Load())
	synctest.Test(t, func(*testing.T) { Enter(first) })
	require.Equal(t, first.serial, present.Load())
	require.Zero(t, first.Home.Number.Load())
	synctest.Test(t, func(t *testing.T) {
		Enter(second)
		require.Equal(t, first.serial+1, second.serial)
		require.EqualValues(t, uint64(several), present.Load())
		require.Equal(t, stacks.This().Bubble, second.Home.Number.Load())
		require.Same(t, second, Here())
	})
	require.Nil(t, Here(), "outside of every bubble")
	Leave(first)
	require.Equal(t, second.serial, present.Load())
	Leave(second)
	require.EqualValues(t, nobody, present.Load())
}

// TestPlainBubble: a bubble that is none of qtests.Run is nobody's, also while the number of the only other one is not known.
func TestPlainBubble(t *testing.T) {
	other := &Tenant{Home: &Home{}}
	Enter(other)
	defer Leave(other)
	synctest.Test(t, func(t *testing.T) {
		for range 2 {
			require.Nil(t, Here())
			require.Equal(t, stacks.This().Bubble, plainBubble.Load(), "so that nobody looks twice")
		}
	})
	require.Zero(t, other.Home.Number.Load())
}

// TestUseOutside: where there is no bubble, a component is nobody's; where there is one, it is that one's from its first use inside.
func TestUseOutside(t *testing.T) {
	var shared Tenancy
	use := func() { require.NoError(t, shared.Use(clock.New(), "pool", "db")) }
	synctest.Test(t, func(*testing.T) { use() })
	require.Zero(t, shared.tenant.Load())
	only := &Tenant{Home: &Home{}}
	Enter(only)
	defer Leave(only)
	use()
	require.Zero(t, shared.tenant.Load())
	synctest.Test(t, func(*testing.T) { use() })
	require.Equal(t, only.serial, shared.tenant.Load())
}

// BenchmarkTenancy is what a use of a component costs while there is one bubble, which
// has it.
func BenchmarkTenancy(b *testing.B) {
	before := present.Swap(7)
	defer present.Store(before)
	var shared Tenancy
	shared.tenant.Store(7)
	clk := clock.New()
	for b.Loop() {
		_ = shared.Use(clk, "pool", "db")
	}
}
