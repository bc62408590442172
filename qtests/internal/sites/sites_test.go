package sites

import (
	"flag"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var held []*[100]*int

func hold() { held = append(held, new([100]*int)) }

// recordOf returns the record of what hold has allocated.
func recordOf(t *testing.T) runtime.MemProfileRecord {
	t.Helper()
	rate := ProfileEvery(1)
	defer rate.Restore()
	held = make([]*[100]*int, 0, 1)
	hold()
	runtime.GC()
	runtime.GC()
	for _, r := range Read() {
		if strings.HasSuffix(siteOf(r), ".hold") {
			return r
		}
	}
	t.Fatal("the profile has no record of it")
	return runtime.MemProfileRecord{}
}

// TestAllocatedByTheRuntimeForItself gives a record the stack of an allocation that was
// made while another one was served.
func TestAllocatedByTheRuntimeForItself(t *testing.T) {
	r := recordOf(t)
	stack := slices.Clone(r.Stack())
	require.Contains(t, runtime.FuncForPC(stack[0]-1).Name(), allocator, "this version of Go calls the allocator so")
	require.False(t, forItself(stack))
	mine := slices.IndexFunc(stack, func(pc uintptr) bool {
		return !strings.HasPrefix(runtime.FuncForPC(pc-1).Name(), "runtime.")
	})
	require.Positive(t, mine, "the runtime's own functions come first")

	nested := slices.Concat(stack[:mine], stack)
	if mine == 1 { // the function in between has its place in the stack only where it is not inlined
		nested = slices.Insert(nested, 1, pcOf(t, "runtime.goexit"))
	}
	clear(r.Stack0[:])
	copy(r.Stack0[:], nested)
	require.Equal(t, RuntimeSite, siteOf(r))

	// A function of the user in between allocates for the user.
	between := slices.Concat(stack[:mine+1], stack)
	require.False(t, forItself(between))
}

// pcOf returns an address in a function that is on the stack of the caller.
func pcOf(t *testing.T, function string) uintptr {
	t.Helper()
	var pcs [64]uintptr
	for _, pc := range pcs[:runtime.Callers(0, pcs[:])] {
		if runtime.FuncForPC(pc-1).Name() == function {
			return pc
		}
	}
	t.Fatalf("%s is not on the stack", function)
	return 0
}

// TestReadingIsNoSite: what reading the profile allocates is not told to the user.
func TestReadingIsNoSite(t *testing.T) {
	rate := ProfileEvery(1)
	defer rate.Restore()
	runtime.GC()
	runtime.GC() // what other tests have allocated is in the profile
	before := Read()
	runtime.GC()
	runtime.GC() // what Read has allocated is in it as well
	for site := range Read().AllocatedSince(before, rate) {
		require.NotContains(t, site, "/sites/sites.go:")
	}
}

func TestScale(t *testing.T) {
	require.EqualValues(t, 7, profileRate{Now: 1}.scale(7, 64), "with a rate of 1 everything is sampled")
	require.EqualValues(t, 7, profileRate{Now: 1}.scale(7, 0.1))
	require.EqualValues(t, 7, profileRate{Now: 1024}.scale(7, 0))
	// Of objects as large as the rate 1-1/e are sampled.
	require.EqualValues(t, 1582, profileRate{Now: 1024}.scale(1000, 1024))
}

// What was allocated between two profiles, and what of it is held: by site, scaled to what the samples stand for.
func TestBetweenTwoProfiles(t *testing.T) {
	r := recordOf(t)
	of := func(allocBytes, freeBytes, allocObjects, freeObjects int64) HeapProfile {
		r.AllocBytes, r.FreeBytes, r.AllocObjects, r.FreeObjects = allocBytes, freeBytes, allocObjects, freeObjects
		return HeapProfile{r.Stack0: r}
	}
	site := siteOf(r)
	before, now := of(150, 50, 2, 1), of(500, 100, 5, 1)
	every, some := profileRate{Now: 1}, profileRate{Now: 100}
	require.Equal(t, map[string]int64{site: 300}, now.KeptSince(before, every))
	require.Equal(t, map[string]int64{site: 3}, now.AllocatedSince(before, every))
	require.Equal(t, map[string]int64{site: 475}, now.KeptSince(before, some), "of 100 bytes 1-1/e are sampled")
	require.Equal(t, map[string]int64{site: 4}, now.AllocatedSince(before, some), "of 117 bytes on average")
	require.Empty(t, now.KeptSince(now, every))
	require.Empty(t, now.AllocatedSince(now, every))
	require.Empty(t, of(150, 0, 2, 1).KeptSince(before, every), "bytes without an object")
	require.Empty(t, of(150, 50, 3, 1).KeptSince(before, every), "an object without bytes")
	require.Equal(t, map[string]int64{site: 400}, now.KeptSince(nil, every))
}

func TestSitesOfTheLibrary(t *testing.T) {
	var r runtime.MemProfileRecord
	r.Stack0[0] = pcOf(t, "runtime.goexit")
	require.Equal(t, RuntimeSite, siteOf(r))
	r.Stack0[0] = reflect.ValueOf(strings.ToUpper).Pointer() + 1
	require.Equal(t, "strings.ToUpper", siteOf(r))
	require.Empty(t, siteOf(runtime.MemProfileRecord{Stack0: [32]uintptr{reflect.ValueOf(Read).Pointer() + 1}}))
}

// The rate is made finer, and put back if nobody else has changed it.
func TestRateOfTheProfile(t *testing.T) {
	before := runtime.MemProfileRate
	r := ProfileEvery(1)
	require.Equal(t, 1, runtime.MemProfileRate)
	coarser := ProfileEvery(1 << 40)
	require.Equal(t, 1, coarser.Now)
	r.Restore()
	require.Equal(t, before, runtime.MemProfileRate)
	r = ProfileEvery(1)
	runtime.MemProfileRate = 7
	r.Restore()
	require.Equal(t, 7, runtime.MemProfileRate, "somebody else's")
	runtime.MemProfileRate = before
	asked := flag.Lookup("test.memprofile").Value
	old := asked.String()
	require.NoError(t, asked.Set("mem.out"))
	r = ProfileEvery(1)
	require.NoError(t, asked.Set(old))
	require.Equal(t, before, r.Now, "the user asked for a profile")
	require.Equal(t, before, runtime.MemProfileRate)
}

func TestDescribe(t *testing.T) {
	format := func(n int64) string { return FormatBytes(n) }
	require.Equal(t, "          (the heap profile has no sample of it)", Describe(map[string]int64{"none": 0}, format))
	amounts := map[string]int64{"g": 1, "f": 2, "e": 2, "d": 3, "c": 4, "b": 5, "a": 20 << 10}
	require.Equal(t, strings.Join([]string{
		"  20.0 KiB  a", "       5 B  b", "       4 B  c", "       3 B  d", "       2 B  e", "            … and 2 more places",
	}, "\n"), Describe(amounts, format))
}

func TestFivePlacesAreAll(t *testing.T) {
	five := map[string]int64{"e": 1, "d": 2, "c": 3, "b": 4, "a": 5}
	require.NotContains(t, Describe(five, FormatBytes), "more")
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", -5: "-5 B", 10<<10 - 1: "10239 B", 10 << 10: "10.0 KiB", 10 << 20: "10.0 MiB", 10 << 30: "10.0 GiB", -20 << 10: "-20.0 KiB",
	} {
		require.Equal(t, want, FormatBytes(n))
	}
}
