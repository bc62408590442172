package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/internal/job"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// checkout takes 20 ms, and as much more as slower says; the share of errors is failing.
func checkout(slower time.Duration, failing int64) Scenario {
	return Scenario{Name: "checkout", Traffic: traffic.Rate(50).For(time.Minute), Do: func(ctx context.Context, u *User) error {
		if failing > 0 && u.Request()%failing == 0 {
			return errors.New("no")
		}
		return u.Sleep(ctx, 20*time.Millisecond+slower)
	}}
}

// updating makes -qtests.update true while f runs.
func updating(f func()) {
	update = true
	defer func() { update = false }()
	f()
}

// baselined runs a scenario, compares it with a file, and returns what the test was told.
func baselined(t *testing.T, s Scenario, file string, tolerance ...float64) (res *result.Result, rec withAttributes) {
	t.Helper()
	qtests.Run(t, func(q *qtests.T) {
		s.Clock = q.Clock()
		rec = withAttributes{nil, map[string]string{}}
		rec.TB = tbtest.Run(t.Name(), func(tb *tbtest.TB) {
			rec.TB = tb
			res = Run(rec, s)
			Baseline(rec, res, file, tolerance...)
		})
	})
	return res, rec
}

func TestBaselineFindsARegression(t *testing.T) {
	file, page := filepath.Join(t.TempDir(), "testdata", "checkout.json"), filepath.Join(t.TempDir(), "job.md")
	t.Setenv(job.Variable, page)
	_, rec := baselined(t, checkout(0, 0), file)
	require.Regexp(t, `load: Baseline: there is no \S+checkout.json; keep this result as the baseline with: go .*test .* -run .* -qtests.update`, rec.Errors())
	updating(func() { _, rec = baselined(t, checkout(0, 0), file) })
	require.False(t, rec.Failed(), rec.Errors())
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Less(t, len(kept), result.MaxSummaryBytes)
	updating(func() { baselined(t, checkout(0, 0), file) })
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(kept), string(again))

	_, rec = baselined(t, checkout(0, 0), file)
	require.False(t, rec.Failed(), rec.Errors())
	require.Equal(t, "0", rec.all["load.checkout.baseline.worse"])
	require.NoFileExists(t, page)

	res, rec := baselined(t, checkout(5*time.Millisecond, 100), file)
	require.Contains(t, rec.Errors(), "load: checkout: 5 figures are worse, 0 better than "+file)
	require.Regexp(t, `✗  p\(99\) +20ms +25ms +\+25.0%`, rec.Errors())
	require.Regexp(t, `✗  errors +0% +1% +from zero`, rec.Errors())
	require.Regexp(t, `if that is meant, keep it with: go .*test .* -qtests.update; repeat with: go .*test `, rec.Errors())
	require.Equal(t, "5", rec.all["load.checkout.baseline.worse"])
	table, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(table), "### checkout: 5 figures are worse, 0 better than `"+file+"`\n\n|  | figure | before | now | change |\n|---|---|---|---|---|\n| ✗ | p(50) | 20ms | 25ms | +25.0% |\n")
	charts := parsed(t, htmlOf(t, res)).Charts
	require.Equal(t, "finished before", charts[0].Series[2].Name)
	require.True(t, charts[1].Series[4].Dashed)
	_, rec = baselined(t, checkout(5*time.Millisecond, 0), file, 0.3)
	require.False(t, rec.Failed(), rec.Errors())
	_, rec = baselined(t, checkout(-5*time.Millisecond, 0), file)
	require.False(t, rec.Failed(), rec.Errors())
	require.Equal(t, "4", rec.all["load.checkout.baseline.better"])
}

func TestBaselinesThatDoNotFit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "checkout.json")
	updating(func() { baselined(t, checkout(0, 0), file) })
	other := checkout(0, 0)
	other.Seed = 7
	_, rec := baselined(t, other, file)
	require.False(t, rec.Failed())
	require.Contains(t, strings.Join(rec.Logs(), "\n"), "has seed 1 and scale 1, and this run seed 7 and scale 1: not compared")
	other = checkout(0, 0)
	other.Traffic = traffic.Rate(51).For(time.Minute)
	_, rec = baselined(t, other, file)
	require.Contains(t, rec.Errors(), `is of scenario "checkout" with 50/s for 1m0s, and this is "checkout" with 51/s for 1m0s: if that is meant`)
	_, rec = baselined(t, checkout(0, 0), file, -1)
	require.Contains(t, rec.Errors(), "tolerance: [-1] is not one number from 0 to below 10")
	for text, want := range map[string]string{
		"{}":                              "is of version 0, and this qtests reads version 1",
		"{":                               "unexpected end of JSON input",
		`{"version":1,"p99_s":[1]}`:       "curves of 1 and 0 intervals",
		strings.Repeat(" ", 10<<10) + "{": "longer than 10240 bytes",
		`{"version":1,"figures":[{"name":"x","value":3,"low":4,"high":5}]}`: `figure "x": 3 is not between 4 and 5`,
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, rec = baselined(t, checkout(0, 0), file)
		require.Contains(t, rec.Errors(), want)
	}
}

// Very many steps make no long file.
func TestSummaryIsSmall(t *testing.T) {
	s := Scenario{Traffic: traffic.Rate(100).For(time.Minute)}
	for i := range 100 {
		s.Steps = append(s.Steps, Step{Name: fmt.Sprintf("step with a name of some length %d", i), Do: serve(0)})
	}
	qtests.Run(t, func(q *qtests.T) {
		res, err := Try(q, s)
		require.NoError(q, err)
		var b strings.Builder
		require.NoError(q, res.Summary(false).WriteJSON(&b))
		require.LessOrEqual(q, b.Len(), result.MaxSummaryBytes)
		again, err := result.ReadSummary(strings.NewReader(b.String()))
		require.NoError(q, err)
		require.Equal(q, "p(50)", again.Figures[0].Name)
		var second strings.Builder
		require.NoError(q, again.WriteJSON(&second))
		require.Equal(q, b.String(), second.String())
	})
}

// In real time two runs of one system differ, and are not called worse.
func TestBaselineInRealTimeKnowsNoise(t *testing.T) {
	of := func(median float64, n int) result.Summary {
		var h result.Histogram
		for i := range n {
			h.Record(time.Duration(median * float64(1e6) * (0.5 + float64(i)/float64(n))))
		}
		return (&result.Result{Version: 1, Finished: int64(n), Started: int64(n), Scheduled: int64(n), Duration: time.Minute, Elapsed: time.Minute, Response: h}).Summary(true)
	}
	worse := func(all []result.Change) (names []string) {
		for _, c := range all {
			if c.Worse {
				names = append(names, c.Name)
			}
		}
		return names
	}
	require.Empty(t, worse(of(11, 50).Against(of(10, 50), 0.05)), "10 % of 50 requests are noise")
	require.Equal(t, []string{"p(50)", "p(95)", "p(99)", "avg"}, worse(of(11, 50_000).Against(of(10, 50_000), 0.05)))
}
