package route

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// loads sends requests from all zones alike, and returns how many each target got.
func loads(t *testing.T, b *Balancer, zones []string, each int) (got map[string]int, local float64) {
	t.Helper()
	got = map[string]int{}
	stayed := 0
	for i := range each * len(zones) {
		zone := zones[i%len(zones)]
		target, err := b.Pick(start, Request{Zone: zone})
		require.NoError(t, err)
		b.Done(start, target, time.Millisecond, 200)
		got[target.ID]++
		if target.Zone == zone {
			stayed++
		}
	}
	return got, float64(stayed) / float64(each*len(zones))
}

func TestZoneAwareKeepsAllAtHomeWhereZonesAreEqual(t *testing.T) {
	zones := []string{"a", "b", "c"}
	b := balancerOf(t, Config{Policy: ZoneAware(RoundRobin), Rand: seeded(1)}, 6, zones...)
	got, local := loads(t, b, zones, 1000)
	require.Equal(t, 1.0, local)
	for id, n := range got {
		require.Equal(t, 500, n, id)
	}
}

// A zone that has lost half of its targets sends as much elsewhere as it cannot serve.
func TestZoneAwareSendsAwayWhatItCannotServe(t *testing.T) {
	const each = 10_000
	zones := []string{"a", "b"}
	b := balancerOf(t, Config{Policy: ZoneAware(RoundRobin), Rand: seeded(1)}, 8, zones...)
	b.Remove("0")
	b.Remove("2") // zone a has 2 of 6
	got, local := loads(t, b, zones, each)
	for id, n := range got {
		require.InDelta(t, 2*each/6.0, n, 4*math.Sqrt(each/6.0), id)
	}
	require.InDelta(t, 5.0/6, local, 0.02, "b keeps all, a keeps 2/3")
}

// What a weak zone cannot serve goes to the zones that have more than their part, by how much more they have.
func TestZoneAwareSharesOutWhatIsLeft(t *testing.T) {
	const each = 6000
	for _, tc := range []struct{ b, c, wantA, wantB, wantC int }{
		{5, 6, 1500, 1500, 3000}, // of 12 a third is a part
		{4, 7, 1500, 0, 4500},
	} {
		b := balancerOf(t, Config{Policy: ZoneAware(Random), Rand: seeded(1)}, 0)
		for zone, n := range map[string]int{"a": 1, "b": tc.b, "c": tc.c} {
			for i := range n {
				_, err := b.Add(zone+strconv.Itoa(i), zone, 1)
				require.NoError(t, err)
			}
		}
		got := map[string]int{}
		for range each {
			target, err := b.Pick(start, Request{Zone: "a"})
			require.NoError(t, err)
			got[target.Zone]++
		}
		for zone, want := range map[string]int{"a": tc.wantA, "b": tc.wantB, "c": tc.wantC} {
			require.InDelta(t, want, got[zone], 4*math.Sqrt(float64(want)), zone)
		}
	}
}

func TestZoneAwareFailsOver(t *testing.T) {
	zones := []string{"a", "b"}
	b := balancerOf(t, Config{Policy: ZoneAware(PeakEWMA(0)), NoPanic: true, Rand: seeded(1)}, 4, zones...)
	b.SetFailing("0", true)
	b.SetFailing("2", true)
	got, local := loads(t, b, zones, 100)
	require.Equal(t, 0, got["0"]+got["2"])
	require.Equal(t, 200, got["1"]+got["3"])
	require.Equal(t, 0.5, local)
}
