package stacks

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:noinline
func deep(n int, gate <-chan struct{}) {
	if n > 0 {
		deep(n-1, gate)
		return
	}
	<-gate
}

// A dump is whole, also where its first buffer is too small.
func TestDumpIsWhole(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	const n = 100
	for range n {
		go deep(80, gate) // about 10 KB of stack
	}
	waiting := func() (found []Goroutine) {
		return Where(Dump(), func(h *Header) bool { return strings.HasPrefix(string(h.State), "chan receive") })
	}
	for len(waiting()) < n {
		runtime.Gosched()
	}
	require.Greater(t, len(Dump()), 64<<10+1<<10*(n+100))
	whole := 0
	for _, g := range waiting() {
		if strings.Count(g.Stack, "stacks.deep(") == 81 && strings.Contains(g.Stack, "created by ") {
			whole++
		}
	}
	require.Equal(t, n, whole)
}

// The setting of the process is as it was, unless somebody has changed it meanwhile.
func TestLabelledDump(t *testing.T) {
	for _, before := range []string{"", "asynctimerchan=0"} {
		if before == "" {
			t.Setenv("GODEBUG", "") // restores it at the end
			require.NoError(t, os.Unsetenv("GODEBUG"))
		} else {
			t.Setenv("GODEBUG", before)
		}
		pprof.Do(context.Background(), pprof.Labels("tenant", "blue"), func(context.Context) {
			require.Contains(t, string(LabelledDump()), "blue")
			require.NotContains(t, string(Dump()), "blue")
		})
		now, set := os.LookupEnv("GODEBUG")
		require.Equal(t, before, now)
		require.Equal(t, before != "", set)
	}
}
