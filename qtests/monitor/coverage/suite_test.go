package coverage_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/coverage"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A main stands for *testing.M.
type main struct {
	code int
	run  func()
}

func (m main) Run() int { m.run(); return m.code }

const shop = `groups:
- name: shop
  rules:
  - {alert: Fails, expr: errors > 5}
  - {alert: Slow, expr: errors > 6, for: 5m}
  - {alert: Queue, expr: 'queue_length > 9 and errors > 100'}
  - {alert: Stays, expr: errors > 1}
  - {record: r, expr: errors}
`

const disk = `groups:
- name: disk
  rules:
  - {alert: DiskFull, expr: disk > 1}
`

func write(t *testing.T) (dir string) {
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte(shop), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "disk.yaml"), []byte(disk), 0o600))
	return dir
}

// outage is a test of a suite: the errors take the values, a minute each.
func outage(t *testing.T, name, file string, values ...float64) {
	read, err := rules.Read(file)
	require.NoError(t, err)
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "errors", Help: "h"})
	tbtest.Run(name, func(t *tbtest.TB) {
		clk := clock.NewMock()
		m := monitor.NewT(t, monitor.Config{Disabled: true, Clock: clk, Collectors: []prometheus.Collector{g}, Rules: append(read, monitor.Rule{Name: "InGo", Expr: "errors > 1000"})})
		for _, v := range values {
			g.Set(v)
			clk.Add(time.Minute)
			_ = m.Scrape()
		}
	})
}

func TestReport(t *testing.T) {
	dir := write(t)
	var out strings.Builder
	suite := coverage.Suite{Out: &out, Files: []string{filepath.Join(dir, "*.yaml")}, File: filepath.Join(dir, "coverage.json"), M: main{3, func() {
		var wg sync.WaitGroup
		for i := range 8 { // as tests that run at once
			wg.Add(1)
			go func() {
				defer wg.Done()
				outage(t, fmt.Sprintf("TestOutage%d", i%2), filepath.Join(dir, "shop.yaml"), 0, 7, 2)
			}()
		}
		wg.Wait()
		outage(t, "TestQuiet", filepath.Join(dir, "shop.yaml"), 0)
	}}}
	require.Equal(t, 3, suite.Run(), "the exit code of the tests")
	want := `coverage of 5 alerts: 1 fired and was resolved, 1 fired and was never resolved, 1 was pending only, 1 never moved, 1 is in no monitor
  in no monitor           DIR/disk.yaml:4: group "disk": DiskFull
  never moved             DIR/shop.yaml:6: group "shop": Queue; no series matches queue_length
  pending only            DIR/shop.yaml:5: group "shop": Slow
  fired, never resolved   DIR/shop.yaml:7: group "shop": Stays 8 times in TestOutage0, TestOutage1
  fired, resolved         DIR/shop.yaml:4: group "shop": Fails 8 times in TestOutage0, TestOutage1
`
	require.Equal(t, want, strings.ReplaceAll(out.String(), dir, "DIR"))
	data, err := os.ReadFile(suite.File)
	require.NoError(t, err)
	var saved coverage.Report
	require.NoError(t, json.Unmarshal(data, &saved))
	require.Equal(t, out.String(), saved.String())
	require.EqualValues(t, 9, saved.Of(coverage.Still)[0].Monitors)
	require.EqualValues(t, 8, saved.Of(coverage.Resolved)[0].Resolved)
}

// Without files, the alerts of all monitors are reported, those written in Go, too; what
// happens outside of the run is not counted.
func TestReportOfAllMonitors(t *testing.T) {
	dir := write(t)
	outage(t, "TestBefore", filepath.Join(dir, "disk.yaml"), 7)
	var out strings.Builder
	suite := coverage.Suite{Out: &out, M: main{0, func() { outage(t, "TestOutage", filepath.Join(dir, "disk.yaml"), 7) }}}
	require.Zero(t, suite.Run())
	require.Equal(t, `coverage of 2 alerts: 2 never moved
  never moved             InGo
  never moved             DIR/disk.yaml:4: group "disk": DiskFull; no series matches disk
`, strings.ReplaceAll(out.String(), dir, "DIR"))
	out.Reset()
	require.Zero(t, coverage.Suite{Out: &out, M: main{0, func() {}}}.Run())
	require.Equal(t, "coverage: there are no alerts\n", out.String())
}

// whole makes the flags be those of a run of all tests.
func whole(t *testing.T) {
	for _, name := range []string{"test.run", "test.skip", "test.short"} {
		f := flag.Lookup(name)
		before := f.Value.String()
		require.NoError(t, flag.Set(name, f.DefValue))
		t.Cleanup(func() { _ = flag.Set(name, before) })
	}
}

func TestRequire(t *testing.T) {
	whole(t)
	dir := write(t)
	run := func(except ...string) (int, string) {
		var out strings.Builder
		suite := coverage.Suite{Out: &out, Require: true, Except: except, Files: []string{filepath.Join(dir, "shop.yaml")}, M: main{0, func() {
			outage(t, "TestOutage", filepath.Join(dir, "shop.yaml"), 7, 2)
		}}}
		return suite.Run(), out.String()
	}
	code, out := run("Stays", "Nope")
	require.Equal(t, 1, code)
	require.Contains(t, out, "coverage: Suite.Require is not met:\n")
	require.Contains(t, out, "alert "+filepath.Join(dir, "shop.yaml")+`:6: group "shop": Queue has not fired`)
	require.Contains(t, out, "Slow has not fired")
	require.Contains(t, out, "Stays is in Suite.Except, and has fired")
	require.Contains(t, out, "Suite.Except: no alert is called Nope")
	code, out = run("Slow", "Queue")
	require.Zero(t, code, out)
	require.NoError(t, flag.Set("test.run", "TestOutage"))
	code, _ = run()
	require.Zero(t, code, "one of the tests alone need not fire all")
}

func TestWrongFiles(t *testing.T) {
	dir := write(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("groups: 3"), 0o600))
	for want, suite := range map[string]coverage.Suite{
		`"nope*" names no file`: {Files: []string{"nope*"}},
		"bad.yaml":              {Files: []string{filepath.Join(dir, "bad.yaml")}},
		"no such file":          {File: filepath.Join(dir, "no", "where")},
	} {
		var out strings.Builder
		suite.Out, suite.M = &out, main{0, func() {}}
		require.Equal(t, 1, suite.Run())
		require.Contains(t, out.String(), want)
	}
}
