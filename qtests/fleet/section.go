package fleet

import (
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/section"
)

var _ section.Source = (*Fleet)(nil)

// curveValues is how many values a curve of a section has.
const curveValues = 240

// Section implements section.Source: the instances, why requests were lost, how they were routed, what was scaled and what was
// deployed, and a chart of the replicas. It belongs in load.Scenario.Sections. Counts are those since the fleet began.
func (f *Fleet) Section(start, end time.Time) section.Section {
	x := f.Stats()
	sum, changes := f.ScalingSummary()
	s := section.Section{
		Title: "fleet " + f.cfg.Name,
		Lines: []string{"requests: " + x.Requests.String()},
		Tables: []section.Table{
			x.instanceTable(), x.lostTable(), f.routingTable(x), ejectionTable(start, x.Ejections), changeTable(start, changes), deploymentTable(start, f.Deployments()),
		},
		Charts: []section.Chart{{Title: "replicas", Unit: section.Number, Curves: f.replicaCurves(start, end, changes)}},
	}
	if len(changes) > 0 {
		s.Lines = append(s.Lines, "scaling: "+sum.String())
	}
	return s
}

func number[N ~int | ~uint64](n N) string { return text.Grouped(int64(n)) }

func (x Stats) instanceTable() section.Table {
	t := section.Table{Title: "instances", Head: []string{"instance", "zone", "version", "phase", "starts", "offered", "share", "answered", "refused", "failed", "cpu"}}
	all := x.Older.Offered
	for _, i := range x.Instances {
		all += i.Attempts.Offered
	}
	for _, i := range x.Instances {
		c := i.Attempts
		t.Rows = append(t.Rows, []string{i.Name, i.Zone, i.Version, i.Phase.String(), number(i.Starts), number(c.Offered),
			fmt.Sprintf("%.1f%%", 100*float64(c.Offered)/float64(max(all, 1))), number(c.Answered), number(c.Refused), number(c.Failed), text.Short(i.CPU)})
	}
	return t
}

func (x Stats) lostTable() section.Table {
	t := section.Table{Title: "lost requests", Head: []string{"why", "requests"}}
	for _, why := range text.SortedKeys(x.Why) {
		t.Rows = append(t.Rows, []string{why, number(x.Why[why])})
	}
	return t
}

func (f *Fleet) routingTable(x Stats) section.Table {
	t := section.Table{Title: "routing by " + policyName(f.cfg.Policy), Head: []string{"attempts", "count"}}
	for _, row := range []struct {
		name string
		n    uint64
	}{
		{"first attempts", x.Attempts.First}, {"retries", x.Attempts.Retries}, {"hedges", x.Attempts.Hedges}, {"found no instance", x.Attempts.NoInstance},
		{"not made, over budget", x.Attempts.OverBudget}, {"routed without regard to health", x.Panics},
	} {
		t.Rows = append(t.Rows, []string{row.name, number(row.n)})
	}
	return t
}

// closure is what the runtime adds to the name of a function within a function.
var closure = regexp.MustCompile(`^.*/|(\.func\d+)+$`)

// policyName is the name of the function that the policy is: route.PowerOfTwo.
func policyName(p route.Policy) string {
	if p == nil {
		return "route.RoundRobin"
	}
	return closure.ReplaceAllString(runtime.FuncForPC(reflect.ValueOf(p).Pointer()).Name(), "")
}

// since writes an instant as a time after the start of the run.
func since(start, at time.Time) string { return at.Sub(start).Round(time.Millisecond).String() }

func ejectionTable(start time.Time, all []route.Ejection) section.Table {
	t := section.Table{Title: "outliers", Head: []string{"at", "instance", "", "why"}}
	for _, e := range all {
		what := "came back"
		if e.Out {
			what = "ejected"
		}
		t.Rows = append(t.Rows, []string{since(start, e.At), e.Target, what, e.Why})
	}
	return t
}

func changeTable(start time.Time, all []scale.Change) section.Table {
	t := section.Table{Title: "scaling", Head: []string{"at", "from", "to", "why"}}
	for _, c := range all {
		t.Rows = append(t.Rows, []string{since(start, c.At), number(c.From), number(c.To), c.Reason})
	}
	return t
}

func deploymentTable(start time.Time, all []Deployment) section.Table {
	t := section.Table{Title: "deployments", Head: []string{"version", "began", "took", "", "why"}}
	for _, d := range all {
		took := "not over"
		if !d.Ended.IsZero() {
			took = text.Short(d.Ended.Sub(d.Began))
		}
		t.Rows = append(t.Rows, []string{d.Version, since(start, d.Began), took, d.Phase.String(), d.Reason})
	}
	return t
}

// replicaCurves are the replicas that were wanted, to the instant, and the most instances of each interval of the fleet's timeline.
func (f *Fleet) replicaCurves(start, end time.Time, changes []scale.Change) []section.Curve {
	wanted, _ := f.Replicas()
	before := wanted
	steps := make([]section.Step, len(changes))
	for n, c := range changes {
		steps[n] = section.Step{At: c.At, Value: float64(c.To)}
	}
	if len(changes) > 0 {
		before = changes[0].From
	}
	t := f.timelineNow()
	instances := make([]section.Step, len(t.Points))
	for n, p := range t.Points {
		instances[n] = section.Step{At: t.Begun.Add(time.Duration(n) * t.Width), Value: float64(p.Replicas)}
	}
	return []section.Curve{
		section.Steps("instances", start, end, curveValues, 0, instances),
		section.Steps("wanted", start, end, curveValues, float64(before), steps),
	}
}
