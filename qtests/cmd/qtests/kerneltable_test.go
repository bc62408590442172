package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/kernels"
)

var updateTable = flag.Bool("update-table", false, "write the table of the kernels into docs/search.md")

const (
	tableFile  = "../../../docs/search.md"
	tableBegin = "<!-- the table of the kernels begins -->\n"
	tableEnd   = "<!-- the table of the kernels ends -->\n"
	tableSeeds = 500
	plainRuns  = 1000
	plainLimit = 5 * time.Second // real time for the plain runs of one kernel
)

// TestKernelTable is how many seeds each strategy needs to find each bug, at the median, and what plain
// runs find. With -update-table it writes the table.
func TestKernelTable(t *testing.T) {
	if v, _ := strconv.Atoi(os.Getenv("QTESTS_STRESS")); v <= 1 {
		t.Skip("a table for people, with QTESTS_STRESS")
	}
	strategies := []string{"fifo", "random", "pos", "pct"}
	found := map[string]map[string][]uint64{}
	for _, s := range strategies {
		found[s], _, _ = searchKernels(t, "TestBug", s, tableSeeds)
	}
	plain, race := plainly(t), plainly(t, "-race")
	var b strings.Builder
	b.WriteString("| bug | fifo | random | pos | pct | plain | -race |\n|---|--:|--:|--:|--:|--:|--:|\n")
	missed := map[string]int{}
	for _, k := range kernels.All() {
		fmt.Fprintf(&b, "| %s |", k.Name)
		for _, s := range strategies {
			median, _ := needed(found[s][k.Name], tableSeeds)
			if median == 0 {
				missed[s]++
			}
			fmt.Fprintf(&b, " %s |", dash(fmt.Sprint(median)))
		}
		for name, all := range map[string]map[string]rate{"plain": plain, "race": race} {
			if all[k.Name].failed == 0 {
				missed[name]++
			}
		}
		fmt.Fprintf(&b, " %v | %v |\n", plain[k.Name], race[k.Name])
	}
	fmt.Fprintf(&b, "| never found, of %d |", len(kernels.All()))
	for _, s := range append(strategies, "plain", "race") {
		fmt.Fprintf(&b, " %d |", missed[s])
	}
	b.WriteString("\n")
	t.Log("\n" + b.String())
	require.Zero(t, missed["pct"])
	require.Greater(t, missed["fifo"], missed["pct"], "first come, first served with select alone finds fewer")
	require.Greater(t, missed["plain"], missed["pct"], "and so do plain runs")
	if *updateTable {
		before, _, after := tableOf(t)
		require.NoError(t, os.WriteFile(tableFile, []byte(before+tableBegin+b.String()+tableEnd+after), 0o644))
	}
}

// TestTableIsWhole: the table in the documentation has each kernel.
func TestTableIsWhole(t *testing.T) {
	_, table, _ := tableOf(t)
	for _, k := range kernels.All() {
		require.Contains(t, table, "\n| "+k.Name+" |")
	}
	require.Equal(t, len(kernels.All())+3, strings.Count(table, "\n"))
}

func tableOf(t *testing.T) (before, table, after string) {
	t.Helper()
	data, err := os.ReadFile(tableFile)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(data), tableBegin)
	require.True(t, ok)
	table, after, ok = strings.Cut(rest, tableEnd)
	require.True(t, ok)
	return before, table, after
}

func dash(s string) string {
	if s == "0" {
		return "–"
	}
	return s
}

// A rate is how many of how many runs failed.
type rate struct{ failed, runs int }

func (r rate) String() string {
	if r.runs == plainRuns {
		return dash(fmt.Sprint(r.failed))
	}
	return fmt.Sprintf("%s of %d", dash(fmt.Sprint(r.failed)), r.runs)
}

// plainly runs each bug on the stock runtime, plainRuns times or for plainLimit, in two
// processes at once.
func plainly(t *testing.T, flags ...string) map[string]rate {
	t.Helper()
	dir, err := filepath.Abs("../../internal/kernels")
	require.NoError(t, err)
	binary := filepath.Join(t.TempDir(), "plain.test")
	build := exec.Command("go", append(append([]string{"test", "-c", "-o", binary}, flags...), ".")...)
	build.Dir = dir
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	rates := map[string]rate{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	names := make(chan string)
	for range 2 {
		wg.Go(func() {
			for name := range names {
				r := plainKernel(t, binary, dir, name)
				mu.Lock()
				rates[name] = r
				mu.Unlock()
			}
		})
	}
	for _, k := range kernels.All() {
		names <- k.Name
	}
	close(names)
	wg.Wait()
	return rates
}

// plainKernel runs one bug, in one process after the other: each ends with a run that fails.
func plainKernel(t *testing.T, binary, dir, name string) (r rate) {
	ctx, cancel := context.WithTimeout(context.Background(), plainLimit)
	defer cancel()
	for r.runs < plainRuns && ctx.Err() == nil {
		results := filepath.Join(filepath.Dir(binary), fmt.Sprintf("%s-%d", name, r.runs))
		cmd := exec.CommandContext(ctx, binary, "-test.run=^TestPlain$/^"+name+"$", "-qtests.stall=100ms")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "QTESTS_PLAIN="+strconv.Itoa(plainRuns), "QTESTS_PLAIN_FROM="+strconv.Itoa(r.runs), "QTESTS_PLAIN_RESULTS="+results)
		_ = cmd.Run() // its results say how it came out
		data, err := os.ReadFile(results)
		if err != nil && ctx.Err() != nil {
			return r // the limit was over before the process had begun
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return r
		}
		before := r.runs
		for line := range strings.Lines(string(data)) {
			switch word, _, _ := strings.Cut(line, " "); word {
			case "begins":
				r.runs++
				r.failed++ // unless it passes
			case "passes":
				r.failed--
			}
		}
		if ctx.Err() != nil && !strings.HasSuffix(string(data), "\n") || r.runs == before {
			return r
		}
		if ctx.Err() != nil && strings.Contains(lastLine(string(data)), "begins") { // the limit ended it
			r.runs, r.failed = r.runs-1, r.failed-1
		}
	}
	return r
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}
