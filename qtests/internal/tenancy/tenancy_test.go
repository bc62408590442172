package tenancy

import (
	"testing"
	"testing/synctest"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
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
