package compare

import (
	"fmt"
	"strings"
	"time"
)

// preface says what was run, where, and how to read it.
func (r *Report) preface(w *strings.Builder) {
	m := r.Machine
	fmt.Fprintf(w, "| | |\n|---|---|\n")
	fmt.Fprintf(w, "| command | `%s` |\n", r.Command)
	fmt.Fprintf(w, "| code | qtests %s |\n", r.Code)
	fmt.Fprintf(w, "| date | %s, in %v |\n", r.Date.UTC().Format("2006-01-02 15:04 MST"), r.Took.Round(time.Second))
	fmt.Fprintf(w, "| machine | %s, %d cores, GOMAXPROCS %d, %s, %s |\n", m.CPU, m.Cores, m.Procs, m.OS, m.Go)
	fmt.Fprintf(w, "| the machine was | %s |\n", busyness(r.Shares))
	fmt.Fprintf(w, "| rounds | %d, with turns of about %v, where a row says nothing else |\n", r.Options.Rounds, r.Options.Turn)
	versions := make([]string, len(r.Versions))
	for i, v := range r.Versions {
		versions[i] = v.Module + " " + v.Version
	}
	fmt.Fprintf(w, "| versions | %s |\n\n", strings.Join(versions, ", "))
	if n := r.Run(); n < r.Declared {
		fmt.Fprintf(w, "**A part only: %d of %d comparisons were run.**\n\n", n, r.Declared)
	}
	w.WriteString(reading)
}

// reading is how to read a row.
const reading = `How to read a row:

- Those who do the same work take one turn each in every round, in an order that changes. The figure of each is the median
  of its rounds. A *peer* is what people use now for the work: a library, a program, or what they would write themselves. A
  *floor* is what the work takes in the usual way without the rest: locks, a channel, bare sleeps. Where ours is below a
  floor, ours does without that.
- *Ours to theirs* is our figure divided by a peer's, round by round, so that what slows the machine down for a while leaves
  it alone: below 1 ours takes less; where more is better, as for requests per second, above 1 ours does more.
  It is the median of the rounds and, in brackets, their quartiles, between which a half of the rounds lies. A single round
  has no quartiles.
- A *target* is what ours should reach: a bound, or so many times somebody else's figure. The median decides whether it is
  *met* or *missed*. *But noise decides* says that the limit lies between the quartiles, and of a peer that is ahead of ours,
  that 1 does: another run may decide otherwise. A target in comparison with somebody who did not take part is *not judged*.
- What misses a target or is behind a peer is explained below its table. What is farthest behind is profiled at the end.

`

// Run is how many comparisons were run.
func (r *Report) Run() (n int) {
	for _, g := range r.Groups {
		n += len(g.Results)
	}
	return n
}

// shortfalls lists the rows that are not as they should be.
func (r *Report) shortfalls(w *strings.Builder) {
	var missed, behind []string
	for _, g := range r.Groups {
		for _, row := range g.rows() {
			name := g.Name + ": " + row.name()
			var targets, peers []string
			for _, j := range row.Judged {
				if j.Verdict == Missed {
					targets = append(targets, j.format(row.Figure)+spread(j.WithinSpread))
				}
			}
			for _, a := range row.Behind() {
				peers = append(peers, a.Name+spread(a.WithinSpread))
			}
			if len(targets) > 0 {
				missed = append(missed, name+" ("+strings.Join(targets, "; ")+")")
			}
			if len(peers) > 0 {
				behind = append(behind, name+" (behind "+strings.Join(peers, "; ")+")")
			}
		}
	}
	list := func(title string, names []string) {
		fmt.Fprintf(w, "**%s:**", title)
		if len(names) == 0 {
			w.WriteString(" none.\n\n")
			return
		}
		w.WriteString("\n\n")
		for _, name := range names {
			fmt.Fprintf(w, "- %s\n", name)
		}
		w.WriteString("\n")
	}
	list("Rows that miss a target", missed)
	list("Rows in which a peer is ahead of ours", behind)
}
