package qtests

import (
	"math"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/tb"
)

// LimitAllocs measures five times 20 calls of f.
const (
	allocTries = 5
	allocRuns  = 20
)

// LimitAllocs fails t if a call of f allocates more than perRun objects on the
// heap. It takes the smallest of up to five measurements, each the average of 20
// calls after one to warm up, rounded down, so that an allocation of the runtime
// or of a goroutine beside does not decide. perRun must not be negative. After a
// failure f is called 20 times more, to name the five sites that allocate most.
//
// While it measures, GOMAXPROCS is 1, as in testing.AllocsPerRun. Allocations
// are counted for the whole process: in a parallel test LimitAllocs fails at
// once.
func LimitAllocs(t tb.TB, perRun int, f func()) {
	t.Helper()
	if perRun < 0 {
		tb.Fatalf(t, "qtests: LimitAllocs: %d is negative", perRun)
	}
	least := math.Inf(1)
	for range allocTries {
		// Every time: f may start parallel tests of its own.
		alone(t, "LimitAllocs", "allocations are those")
		if least = min(least, testing.AllocsPerRun(allocRuns, f)); least <= float64(perRun) {
			return
		}
	}
	tb.Fatalf(t, "qtests: a call allocates %.0f objects in %s; LimitAllocs allows %d. In each call, measured in %d more,\n%s",
		least, t.Name(), perRun, allocRuns, sites.Describe(allocatedByRun(f), formatCount))
}

// allocatedByRun returns how many objects a call of f allocates, by allocation
// site.
func allocatedByRun(f func()) map[string]int64 {
	rate := sites.ProfileEvery(1)
	defer rate.Restore()
	collect()
	before := sites.Read()
	for range allocRuns {
		f()
	}
	collect()
	sites := sites.Read().AllocatedSince(before, rate)
	for site := range sites {
		sites[site] /= allocRuns
	}
	return sites
}
