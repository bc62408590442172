package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/kernels"
	"github.com/go-qtests/qtests/qtests/internal/story"
	"github.com/go-qtests/qtests/qtests/internal/stress"
)

const kernelPackage = "github.com/go-qtests/qtests/qtests/internal/kernels"

// searchKernels runs TestBug or TestFixed of the kernels under seeds 1 to n, and returns
// the seeds that failed, in order, by kernel.
func searchKernels(t *testing.T, test, strategy string, n int) (map[string][]uint64, *find.Search, *find.Summary) {
	t.Helper()
	d := &finding{tool: &tool{patches: changes{}, stdout: io.Discard, stderr: os.Stderr}, run: test, points: true, procs: 2, patterns: []string{kernelPackage}, temp: t.TempDir()}
	targets, env, err := d.compile(context.Background())
	require.NoError(t, err)
	require.Len(t, targets, 1)
	spec, err := explore.Parse(strategy)
	require.NoError(t, err)
	s := find.New(targets[0], find.Options{Seeds: n, Procs: 2, All: true, Explore: spec, Env: env, Temp: t.TempDir()})
	sum, err := s.Run(context.Background())
	require.NoError(t, err)
	failed := map[string][]uint64{}
	for _, f := range sum.Found {
		name := strings.TrimPrefix(f.Test, test+"/")
		failed[name] = append(failed[name], f.Seeds...)
	}
	for _, seeds := range failed {
		slices.Sort(seeds)
	}
	return failed, s, sum
}

// needed is how many seeds in a row it takes to meet a failure, from each seed on: the
// median and the most. 0 is never.
func needed(failed []uint64, n int) (median, most int) {
	if len(failed) == 0 {
		return 0, 0
	}
	var all []int
	last := uint64(0)
	for _, f := range failed {
		for s := last + 1; s <= f; s++ {
			all = append(all, int(f-s)+1)
		}
		last = f
	}
	slices.Sort(all)
	return all[len(all)/2], max(all[len(all)-1], n-int(last))
}

// checkCuts cuts down failures of the kernels: the median is left with three choices at most,
// and with them each of them fails again and is told in at most 30 lines.
func checkCuts(t *testing.T, s *find.Search, sum *find.Summary, all bool) {
	t.Helper()
	var left []int
	ctx := context.Background()
	for i, f := range sum.Found {
		if !all && i%10 > 0 {
			continue
		}
		trial, ok := s.Cut(ctx, f)
		if !ok {
			t.Errorf("%s does not fail again under its %d choices", f.Test, len(f.Choices))
			continue
		}
		steps, err := s.Steps(ctx, f, trial)
		require.NoError(t, err)
		told := story.Tell(f.Test, f.Failure, steps.Steps, trial.Inputs, story.Sources()).String()
		require.LessOrEqual(t, strings.Count(told, "\n"), story.MostLines, "%s", told)
		left = append(left, len(trial.Choices))
		t.Logf("%-32s seed %3d: %3d choices, %d left", f.Test, f.Seed, len(f.Choices), len(trial.Choices))
	}
	slices.Sort(left)
	require.LessOrEqual(t, left[len(left)/2], 3)
}

// TestKernels finds every bug within 200 seeds, half of them within 20 at most, and none in
// the twins. QTESTS_STRESS enlarges it.
func TestKernels(t *testing.T) {
	inGate(t)
	bugs, twins := 200, 100
	if stress.Factor(t) > 1 {
		bugs, twins = 2000, 2000
	}
	began := time.Now()
	failed, s, sum := searchKernels(t, "TestBug", "pct", bugs)
	t.Logf("%d runs of bugs in %v", sum.Runs, time.Since(began))
	for _, k := range kernels.All() {
		median, most := needed(failed[k.Name], bugs)
		t.Logf("%-32s median %3d most %4d of %d: %d", k.Name, median, most, bugs, len(failed[k.Name]))
		if median == 0 || median > 20 || failed[k.Name][0] > 200 {
			t.Errorf("%s: first with seed %v, the median of the seeds needed is %d", k.Name, first(failed[k.Name]), median)
		}
	}
	checkCuts(t, s, sum, bugs > 200)
	began = time.Now()
	_, _, sum = searchKernels(t, "TestFixed", "pct", twins)
	t.Logf("%d runs of twins in %v", sum.Runs, time.Since(began))
	for _, f := range sum.Found {
		t.Errorf("a false alarm: %s: %s, with seed %d: %s\n%s", f.Test, f.Is(), f.Seed, f.Text, f.Full)
	}
	require.Len(t, sum.Tests, len(kernels.All()))
}

func first(seeds []uint64) string {
	if len(seeds) == 0 {
		return "none"
	}
	return fmt.Sprint(seeds[0])
}
