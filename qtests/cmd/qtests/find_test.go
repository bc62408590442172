package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/stress"
)

// TestFind is the way of a user: find a lost update, read the account, and repeat it by the
// line that comes last.
func TestFind(t *testing.T) {
	inPlainRun(t)
	if testing.Short() {
		t.Skip("it compiles the kernels with points")
	}
	out := t.TempDir()
	p := program{dir: ".", env: nil}
	found := finish(t, p.command(os.Args[0], "real", "find", "-run", "TestBug/^lock_order$", "-seeds", "200", "-o", out, kernelPackage))
	require.Equal(t, 1, found.status, "%s%s", found.stdout, found.stderr)
	for _, part := range []string{
		"PCT finds a bug of depth 1", "FAIL TestBug/lock_order: deadlock", "1 choice other than first come, first served",
		"! G", "in a circle: G", "=> deadlock", "the same as a drawing: ", "to keep it as a test: copy ",
	} {
		require.Contains(t, found.stdout, part)
	}
	lines := strings.Split(strings.TrimSpace(found.stdout), "\n")
	repeat, ok := strings.CutPrefix(lines[len(lines)-1], "repeat: go tool qtests ")
	require.True(t, ok, found.stdout)
	base := filepath.Join(out, "TestBug-lock_order", "TestBug-lock_order")
	for _, end := range []string{".choices", ".txt", ".html"} {
		require.FileExists(t, base+end)
	}
	args := strings.Fields(strings.ReplaceAll(repeat, "'", ""))
	times := 3
	if stress.Factor(t) > 1 {
		times = 100
	}
	again := finish(t, p.command(os.Args[0], "real", append(args, fmt.Sprintf("-test.count=%d", times))...))
	require.Equal(t, 1, again.status)
	require.Equal(t, times, strings.Count(again.stdout, "it fails under the choices of "), "%s%s", again.stdout, again.stderr)
}

func TestFindUsage(t *testing.T) {
	for _, line := range []string{"find -seeds -1", "find -p 0", "find -explore lifo", "find -none"} {
		var stderr strings.Builder
		status := (&tool{patches: leaf{}, stdout: &stderr, stderr: &stderr}).run(strings.Fields(line))
		require.Equal(t, 2, status, line)
		require.Contains(t, stderr.String(), "find: ", line)
	}
	d, err := (&tool{}).parseFind(strings.Fields("-race -tags=a,b -for 30s -run X ./a ./b"))
	require.NoError(t, err)
	require.Equal(t, []string{"-race=true", "-tags=a,b"}, d.build)
	require.Equal(t, []string{"./a", "./b"}, d.patterns)
	require.Greater(t, d.seeds, 1<<30, "the time is the limit")
	require.Equal(t, "-points -race -tags=a,b ", d.flags())
}

// TestFindChecks: an invariant is checked between two steps of one goroutine, and what never
// happened is told.
func TestFindChecks(t *testing.T) {
	inGate(t)
	p := program{dir: ".", env: nil}
	found := finish(t, p.command(os.Args[0], "real", "find", "-run", "TestInvariant", "-seeds", "5", "-o", t.TempDir(), kernelPackage))
	require.Equal(t, 1, found.status, "%s%s", found.stdout, found.stderr)
	require.Contains(t, found.stdout, "FAIL TestInvariant: invariant")
	require.Contains(t, found.stdout, "the sum is 10: it is 9, first with seed 1")
	found = finish(t, p.command(os.Args[0], "real", "find", "-run", "TestNever", "-seeds", "20", kernelPackage))
	require.Equal(t, 1, found.status, "%s%s", found.stdout, found.stderr)
	require.Contains(t, found.stdout, "FAIL TestNever: the queue is full was never true")
	require.NotContains(t, found.stdout, "large was never")
}

// TestFindFaults: of the faults of a plan those go that the failure does not need, of a load
// the requests, the users and most of the outage, and what is left repeats it.
func TestFindFaults(t *testing.T) {
	inGate(t)
	packages := map[string]string{"TestLostLine": "chaos", "TestLoadOutage": "load"}
	tests := map[string][]string{
		"TestLostLine": {", and from 2 to 1 fault\n", "*   notebook: crash, before operation 2 from 5.042s on", "=> assertion: line 4 is lost"},
	}
	if os.Getenv("QTESTS_STRESS") != "" {
		tests["TestLoadOutage"] = []string{"from 2 to 1 fault; shop: the first 1 request, at scale 0.01", "  load: shop: the first 1 request", "*   prices: outage, at 0s, for ", "=> load: shop: errors==0"}
	}
	p := program{dir: ".", env: nil}
	for test, parts := range tests {
		out := t.TempDir()
		found := finish(t, p.command(os.Args[0], "real", "find", "-p", "1", "-run", "^"+test+"$", "-seeds", "50", "-o", out, "github.com/go-qtests/qtests/qtests/"+packages[test]))
		require.Equal(t, 1, found.status, "%s%s", found.stdout, found.stderr)
		for _, part := range parts {
			require.Contains(t, found.stdout, part)
		}
		lines := strings.Split(strings.TrimSpace(found.stdout), "\n")
		args := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(lines[len(lines)-1], "repeat: go tool qtests "), "'", ""))
		again := finish(t, p.command(os.Args[0], "real", append(args, "-test.count=2")...))
		require.Equal(t, 1, again.status)
		require.Equal(t, 2, strings.Count(again.stdout, "it fails under the choices of "), "%s%s", again.stdout, again.stderr)
	}
}
