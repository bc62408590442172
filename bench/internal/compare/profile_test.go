package compare

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var errTest = errors.New("test")

// burn uses the processors for so long. (It may be found in a profile, or not: no
// test asks for that.)
func burn(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
		continue
	}
}

var kept []byte

// TestProfileTo asks a profile of each kind for what only that one can say.
func TestProfileTo(t *testing.T) {
	for _, c := range []struct {
		kind     Kind
		do       func()
		has, not string
	}{
		{ProcessorTime, func() { burn(100 * time.Millisecond) }, "Type: cpu", "alloc_objects"},
		{Allocated, allocateOften, "compare.allocateOften", "cpu"},
		{MemoryInUse, func() { kept = inUse() }, "compare.inUse", "compare.allocate"},
	} {
		t.Run(kinds[c.kind].name, func(t *testing.T) {
			t.Cleanup(func() { kept = nil })
			const rate = 512 << 10
			runtime.MemProfileRate = rate
			file := filepath.Join(t.TempDir(), c.kind.File())
			stop, err := ProfileTo(file)
			require.NoError(t, err)
			c.do()
			require.NoError(t, stop())
			require.Equal(t, rate, runtime.MemProfileRate)
			text, err := topOf(c.kind, "", []string{file})
			require.NoError(t, err)
			require.Contains(t, text, c.has)
			require.NotContains(t, text, c.not)
			require.NotContains(t, text, "File:")
			if c.kind == Allocated {
				require.Regexp(t, fmt.Sprintf(` %d .*compare\.allocateOften`, oftenAllocated), text, "none is left out")
			}
		})
	}
}

// oftenAllocated is how much there has been of allocateOften, also in earlier runs
// of the tests: the profile is of all of the process.
var oftenAllocated int

//go:noinline
func allocateOften() {
	for range 20_000 {
		kept = make([]byte, 16)
		oftenAllocated++
	}
}

// TestWatchHeap frees the memory before the last look.
func TestWatchHeap(t *testing.T) {
	defer everyAllocation()()
	w := &heapWatch{}
	w.look()
	require.NotZero(t, w.profile.Len())
	kept = inUse()
	w.look()
	largest := w.profile.String()
	kept = nil
	w.look()
	require.NoError(t, w.err)
	require.Equal(t, largest, w.profile.String())
	file := filepath.Join(t.TempDir(), MemoryInUse.File())
	require.NoError(t, os.WriteFile(file, []byte(largest), 0o600))
	text, err := topOf(MemoryInUse, "", []string{file})
	require.NoError(t, err)
	require.Contains(t, text, "compare.inUse")
}

// inUse is much memory that is in use.
//
//go:noinline
func inUse() []byte { return make([]byte, 20<<20) }

func TestProfileToNowhere(t *testing.T) {
	for kind := range kinds {
		file := filepath.Join(t.TempDir(), "none", kinds[kind].file)
		stop, err := ProfileTo(file)
		if err == nil {
			err = stop()
		}
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

func TestKindOf(t *testing.T) {
	for kind := range kinds {
		require.Equal(t, Kind(kind), kindOf(filepath.Join("some", "where", Kind(kind).File())))
	}
	require.Equal(t, ProcessorTime, kindOf("profile.prof"))
}
