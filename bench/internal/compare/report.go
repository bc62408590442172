package compare

import (
	"testing"
	"time"
)

// A Report is everything that a run of the comparisons has found.
type Report struct {
	// Command is what wrote it.
	Command string
	// Profiled is how a row is profiled: the first %s is the name of the file, and
	// the second one the argument of -bench.
	Profiled string
	// Code says which code was measured, from [Revision].
	Code     string
	Date     time.Time
	Machine  Machine
	Versions []Version
	Options  Options
	Took     time.Duration
	Declared int // how many comparisons there are; a part of them may have been run
	Groups   []GroupResult
}

// A GroupResult is the results of a group.
type GroupResult struct {
	*Group
	Results []*Result
}

// Results runs all comparisons in subtests of t, so that -run selects among them.
// tell is told of each as it begins.
func Results(t *testing.T, groups []Group, o Options, tell func(string)) (all []GroupResult) {
	for i := range groups {
		g := GroupResult{Group: &groups[i]}
		t.Run(g.Name, func(t *testing.T) {
			for i := range g.Comparisons {
				c := &g.Comparisons[i]
				t.Run(c.Name, func(t *testing.T) {
					tell(g.Name + ": " + c.Name)
					r := Run(t, c, o)
					r.profile(t, benchmarkOf(g.Name, c.Name), o.Profile)
					g.Results = append(g.Results, r)
				})
			}
		})
		if len(g.Results) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// Unexplained names the rows that need an explanation and have none.
func (r *Report) Unexplained() (names []string) {
	for _, g := range r.Groups {
		for _, row := range g.rows() {
			if row.NeedsExplaining() && row.Result.Why == "" {
				names = append(names, g.Name+": "+row.name())
			}
		}
	}
	return names
}
