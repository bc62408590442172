package sites

import (
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

func TestScale(t *testing.T) {
	require.EqualValues(t, 7, profileRate{Now: 1}.scale(7, 64), "with a rate of 1 everything is sampled")
	require.EqualValues(t, 7, profileRate{Now: 1024}.scale(7, 0))
	// Of objects as large as the rate 1-1/e are sampled.
	require.EqualValues(t, 1582, profileRate{Now: 1024}.scale(1000, 1024))
}

func TestDescribe(t *testing.T) {
	format := func(n int64) string { return FormatBytes(n) }
	require.Equal(t, "          (the heap profile has no sample of it)", Describe(map[string]int64{"none": 0}, format))
	amounts := map[string]int64{"g": 1, "f": 2, "e": 2, "d": 3, "c": 4, "b": 5, "a": 20 << 10}
	require.Equal(t, strings.Join([]string{
		"  20.0 KiB  a", "       5 B  b", "       4 B  c", "       3 B  d", "       2 B  e", "            … and 2 more places",
	}, "\n"), Describe(amounts, format))
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", -5: "-5 B", 10<<10 - 1: "10239 B", 10 << 10: "10.0 KiB", 10 << 20: "10.0 MiB", 10 << 30: "10.0 GiB", -20 << 10: "-20.0 KiB",
	} {
		require.Equal(t, want, FormatBytes(n))
	}
}
