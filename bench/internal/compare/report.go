package compare

import (
	"testing"
	"time"
)

// A Report is everything that a run of the comparisons has found.
type Report struct {
	// Command is what wrote it.
	Command string
	// Code says which code was measured, from [Revision].
	Code     string
	Date     time.Time
	Machine  Machine
	Versions []Version
	Options  Options
	Took     time.Duration
	Declared int // how many comparisons there are; a part of them may have been run
	Groups   []GroupResult
	// Shares are what this process got of its processors before each comparison.
	Shares   []float64
	Profiles []Profile
}

// A GroupResult is the results of a group.
type GroupResult struct {
	*Group
	Results []*Result
}

// Fill runs all comparisons in subtests of t, so that -run selects among them, and then
// profiles the worst of them. tell is told of each as it begins.
func (r *Report) Fill(t *testing.T, groups []Group, tell func(string)) {
	start := time.Now()
	o := r.Options
	for i := range groups {
		g := GroupResult{Group: &groups[i]}
		t.Run(g.Name, func(t *testing.T) {
			for i := range g.Comparisons {
				c := &g.Comparisons[i]
				t.Run(c.Name, func(t *testing.T) {
					tell(g.Name + ": " + c.Name)
					if share, ok := shareOfProcessors(r.Machine.Procs); ok {
						r.Shares = append(r.Shares, share)
					}
					g.Results = append(g.Results, Run(t, c, o))
				})
			}
		})
		if len(g.Results) > 0 {
			r.Groups = append(r.Groups, g)
		}
	}
	r.profileWorst(t, o.Profiles, o.ProfileLength, o.Own)
	r.Took = time.Since(start)
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
