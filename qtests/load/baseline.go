package load

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/job"
	"github.com/go-qtests/qtests/qtests/load/internal/kept"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

const (
	updateFlag = "qtests.update"
	updateEnv  = "QTESTS_UPDATE"
)

// BaselineTolerance is by how much a figure may become worse than its baseline, as a share: 5 %.
const BaselineTolerance = 0.05

var update bool

func init() {
	if testing.Testing() { // a program keeps its own command line
		flag.BoolVar(&update, updateFlag, os.Getenv(updateEnv) == "1", "write the baselines of load.Baseline anew (variable "+updateEnv+"=1)")
	}
}

// Baseline compares a result with the one that is kept in a file, and fails t if a figure became worse by more than a tolerance: 5 %, or what is given.
//
//	res := load.Run(q, scenario)
//	load.Baseline(q, res, "testdata/checkout.json")
//
// Under a fake clock a run with the same seed comes out the same, and what differs differs because of the code. In real time a difference counts only
// if it is beyond the noise of both runs, too: see result.Summary.Against. With -qtests.update, or QTESTS_UPDATE=1, the file is written anew instead. It is a
// result.Summary of at most 10 KB, a line for each figure. A file that is not there fails t, and so does one of another scenario or profile; one of another seed or
// scale is not compared, and the log says so.
//
// The curves of the baseline lie behind those of res in a report that is written later, of a failing test as well. On GitHub, which sets GITHUB_STEP_SUMMARY, the
// comparison is a table on the page of the job. t gets the attributes load.<scenario>.baseline.worse and .better, which gotestsum puts into its JUnit file.
func Baseline(t tb.TB, res *result.Result, file string, tolerance ...float64) {
	t.Helper()
	now := res.Summary(!stacks.InBubble())
	if update {
		if err := kept.Write(file, now); err != nil {
			tb.Fatalf(t, "load: Baseline: %v", err)
		}
		t.Logf("load: the baseline %s is written anew", file)
		return
	}
	before, err := kept.Read(file, res.Repeat+" -"+updateFlag)
	if err != nil {
		tb.Fatalf(t, "load: Baseline: %v", err)
	}
	within := BaselineTolerance
	if len(tolerance) > 0 {
		within = tolerance[0]
	}
	switch {
	case len(tolerance) > 1 || !(within >= 0 && within < 10):
		tb.Fatalf(t, "load: Baseline: tolerance: %v is not one number from 0 to below 10", tolerance)
	case before.Scenario != now.Scenario, before.Scale == now.Scale && before.Profile != now.Profile:
		tb.Fatalf(t, "load: Baseline: %s is of scenario %q with %s, and this is %q with %s: if that is meant, run the test with -%s",
			file, before.Scenario, before.Profile, now.Scenario, now.Profile, updateFlag)
	case before.Seed != now.Seed || before.Scale != now.Scale:
		t.Logf("load: %s has seed %d and scale %v, and this run seed %d and scale %v: not compared", file, before.Seed, before.Scale, now.Seed, now.Scale)
		return
	}
	res.Baseline = &before
	judgeBaseline(t, res, file, now.Against(before, within))
}

func judgeBaseline(t tb.TB, res *result.Result, file string, all []result.Change) {
	t.Helper()
	worse, better := 0, 0
	rows := [][]string{{"", "figure", "before", "now", "change"}}
	for _, c := range all {
		if c.Worse {
			worse++
		}
		if c.Better {
			better++
		}
		if c.Worse || c.Better || len(all) <= 20 {
			rows = append(rows, c.Row())
		}
	}
	attribute := "load." + attributeKey(res.Scenario) + ".baseline."
	tb.AttrOf(t, attribute+"worse", fmt.Sprint(worse))
	tb.AttrOf(t, attribute+"better", fmt.Sprint(better))
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d better than %s\n", are(worse), better, file)
	if len(rows) > 1 {
		text.Table(&b, rows)
	}
	if worse+better > 0 {
		job.Tell(t, fmt.Sprintf("%s: %s, %d better than `%s`", res.Scenario, are(worse), better, file), rows)
	}
	if worse > 0 {
		t.Errorf("load: %s: %s    if that is meant, keep it with: %[3]s -%[4]s; repeat with: %[3]s", res.Scenario, b.String(), res.Repeat, updateFlag)
		return
	}
	t.Logf("load: %s: %s", res.Scenario, b.String())
}

func are(worse int) string {
	if worse == 1 {
		return "1 figure is worse"
	}
	return fmt.Sprintf("%d figures are worse", worse)
}
