package qtests

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/sites"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Bounds of Steady.
const (
	steadyTries  = 3  // series of readings at the most
	steadyGrows  = 2  // of them must show a slope
	steadyWarmUp = 2  // rounds before the first reading, which fill caches
	steadyLeast  = 8  // rounds below which a step looks like a slope
	steadyTraced = 16 // rounds, at the most, to find the allocation sites
	steadySlope  = 8  // bytes a round that count as growth: the smallest object
	// steadyRuntime is how many bytes a round, allocated by nobody but the runtime,
	// are f's doing: less than a goroutine has, and more than what the runtime
	// caches on a busy machine.
	steadyRuntime = 128

	steadyPercentile = 15 // of the slopes
	steadyJumps      = 6  // the share of jumps that are levelled is one in so many
)

// Steady calls f rounds times, reads the live heap after each round, and fails t
// if the heap grows from round to round. It fails on a slope and not on a step: a
// cache that fills in any one round, or two, passes, and so does a buffer that
// empties every few rounds. f is called twice more before, to warm up; rounds must be
// at least 8, and 20 is a good number.
//
// The slope is the 15th percentile of the slopes between all pairs of readings
// (Theil and Sen take the median, which a single step in the middle would decide),
// and growth is 8 bytes a round or more. It must show in two of three series of
// readings. The first is the last where nothing grows; f is called up to three times
// as often where the heap grows, or where it falls now and then, be it f's doing or
// old garbage that goes. A structure that grows by doubling has steps, too, and
// longer and longer ones: let f add enough to it for one round.
//
// Before it fails, Steady calls f up to 16 times more, to find with exact numbers
// the allocation sites that keep something in the first and in the second half of
// these rounds, and names the five that keep most. If they keep less than 4 bytes a
// round (128 where only the runtime allocates), the rest of the process
// grows, or the growth has ended, and t does not fail. (With
// -test.memprofile the numbers are not exact, and growth is a failure in any case.)
//
// The heap belongs to the whole process: in a parallel test Steady fails at
// once. Each round costs two collections. Steady is for the goroutine that runs
// the test or benchmark.
func Steady(t tb.TB, rounds int, f func()) {
	t.Helper()
	if rounds < steadyLeast {
		tb.Fatalf(t, "qtests: Steady: %d rounds are too few to tell a slope from a step; the least is %d", rounds, steadyLeast)
	}
	alone(t, "Steady", "the heap is that")
	for range steadyWarmUp {
		f()
	}
	readings := make([]int64, rounds) // at once: a slice that grows is on the heap as well
	slope := slopeOf(func() []int64 {
		for i := range readings {
			f()
			readings[i] = liveHeap()
		}
		return readings
	})
	if slope == 0 {
		return
	}
	traced := min(rounds, steadyTraced) / 2 * 2
	kept, exact := keptByRound(traced, f)
	alone(t, "Steady", "the heap is that") // f may have become parallel meanwhile
	if exact && !confirms(kept) {
		return
	}
	tb.Fatalf(t, "qtests: the live heap grows by %s in each round of Steady in %s, from %s to %s in %d rounds (15th percentile of the slopes between all readings, each after two collections). Kept in each round, measured in %d more,\n%s",
		sites.FormatBytes(int64(slope)), t.Name(), sites.FormatBytes(readings[0]), sites.FormatBytes(readings[rounds-1]), rounds,
		traced, sites.Describe(kept, sites.FormatBytes))
}

// slopeOf returns the slope of several series of readings, or 0 where the heap is steady. A slope that the rest
// of the process had for a while is gone the next time.
func slopeOf(series func() []int64) (slope float64) {
	grows := 0
	for range steadyTries {
		readings := series()
		if low := lowSlope(readings); low >= steadySlope {
			slope = low
			if grows++; grows == steadyGrows {
				return slope
			}
		} else if levelSlope(readings) < steadySlope {
			return 0 // no fall hides a slope
		}
	}
	return 0
}

// lowSlope returns a low percentile of the slopes between all pairs of readings.
// With k steps at even distances nearly 1/(k+1) of the pairs have none between
// them, and a slope of nothing but noise: two steps leave 30 percent, and the
// 15th percentile of all is about in their middle. A fall in the middle hides a slope.
func lowSlope(readings []int64) float64 {
	slopes := slopesOf(jumpsOf(readings))
	return slopes[(len(slopes)-1)*steadyPercentile/100]
}

// levelSlope returns the median of the slopes between all pairs of readings when
// the jumps that differ most from the usual one, in either direction, have been made
// like it: no fall hides a slope here, but a buffer that empties has one.
func levelSlope(readings []int64) float64 {
	jumps := jumpsOf(readings)
	sorted := slices.Sorted(slices.Values(jumps))
	usual := sorted[len(sorted)/2]
	largest := slices.SortedFunc(slices.Values(jumps), func(a, b float64) int {
		return cmp.Compare(math.Abs(b-usual), math.Abs(a-usual))
	})
	for _, jump := range largest[:max(2, len(jumps)/steadyJumps)] {
		jumps[slices.Index(jumps, jump)] = usual
	}
	slopes := slopesOf(jumps)
	return slopes[len(slopes)/2]
}

// jumpsOf returns the differences between neighbours.
func jumpsOf(readings []int64) []float64 {
	jumps := make([]float64, len(readings)-1)
	for i := range jumps {
		jumps[i] = float64(readings[i+1] - readings[i])
	}
	return jumps
}

// slopesOf returns the slopes between all pairs of readings that jump so, sorted.
func slopesOf(jumps []float64) []float64 {
	var slopes []float64
	for i := range jumps {
		var rise float64
		for j, jump := range jumps[i:] {
			rise += jump
			slopes = append(slopes, rise/float64(j+1))
		}
	}
	slices.Sort(slopes)
	return slopes
}

// keptByRound calls f rounds times, an even number, and returns what each call keeps, in bytes, by
// allocation site: of sites that keep something in both halves of the rounds. The
// numbers are exact unless the profile's rate is the user's.
func keptByRound(rounds int, f func()) (kept map[string]int64, exact bool) {
	rate := sites.ProfileEvery(1)
	defer rate.Restore()
	var profiles [3]sites.HeapProfile
	for half := range profiles {
		if half > 0 {
			for range rounds / 2 {
				f()
			}
		}
		collect()
		profiles[half] = sites.Read()
	}
	runtime.KeepAlive(f) // what f keeps may be a variable that nobody else has
	first, second := profiles[1].KeptSince(profiles[0], rate), profiles[2].KeptSince(profiles[1], rate)
	return keptByBoth(first, second, rounds), rate.Now <= 1
}

// keptByBoth is what both halves of the rounds kept, in each round.
func keptByBoth(first, second map[string]int64, rounds int) map[string]int64 {
	kept := map[string]int64{}
	for site := range first {
		if second[site] > 0 {
			kept[site] = (first[site] + second[site]) / int64(rounds)
		}
	}
	return kept
}

// confirms reports whether what each round keeps is enough to be growth. A tiny
// object shares its block with others, and is found in half of the rounds.
func confirms(kept map[string]int64) bool {
	var sum int64
	for site, bytes := range kept {
		if site != sites.RuntimeSite || bytes >= steadyRuntime {
			sum += bytes
		}
	}
	return sum >= steadySlope/2
}

// formatCount prints a number of objects for people.
func formatCount(n int64) string { return fmt.Sprint(n) }
