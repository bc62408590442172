package story

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/inputs"
)

// repeats leaves out what a goroutine does again and again, but for the last two times.
func (t *teller) repeats() {
	seen := map[Line]int{}
	for i := range slices.Backward(t.lines) {
		l := &t.lines[i]
		name := Line{Lane: l.Lane, Text: l.Text, Where: l.Where}
		if seen[name]++; seen[name] > 2 && !l.Surprise {
			l.score = 1
		}
	}
}

// faults are the lines about what happened to the system, by the time.
func (t *teller) faults(in *inputs.Inputs) []Line {
	if in == nil {
		return nil
	}
	var lines []Line
	for _, f := range in.Faults {
		lines = append(lines, Line{Lane: Fault, Text: f.String(), At: f.Start + f.At})
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(a.At, b.At) })
	for _, l := range in.Loads {
		if !l.Whole() {
			t.story.With = append(t.story.With, l.String())
		}
	}
	t.story.With = atMost(t.story.With, mostLoads)
	return lines[max(0, len(lines)-mostFaults):]
}

// What is told beside the lines, so that it leaves room for them.
const (
	mostFaults = 8 // the last ones
	mostLoads  = 4
	mostCircle = 8
	mostEnds   = 5 // of those that wait beside a circle
)

// atMost says of what is too much how much it is.
func atMost(all []string, n int) []string {
	if len(all) <= n {
		return all
	}
	return append(slices.Clone(all[:n-1]), fmt.Sprintf("and %d more", len(all)-n+1))
}

// Where there are more than fewLines, those with the score dull or less go: what nobody else sees, and what is repeated.
const (
	fewLines = 8
	dull     = 2
)

// choose keeps the lines that say most, in their order, and the faults among them.
func (t *teller) choose(in *inputs.Inputs) {
	faults := t.faults(in)
	room := MostLines - 7 - len(t.story.Cycle) - len(t.story.Ends) - len(faults) - len(t.story.With)
	t.repeats()
	kept := t.best(room)
	last := -1
	for _, i := range kept {
		l := t.lines[i]
		l.Left = i - last - 1
		last = i
		for len(faults) > 0 && faults[0].At < l.At {
			t.story.Lines, faults = append(t.story.Lines, faults[0]), faults[1:]
		}
		t.story.Lines = append(t.story.Lines, l)
	}
	t.story.Lines = append(t.story.Lines, faults...)
	t.story.Left = len(t.lines) - len(kept)
}

// best returns the places of the lines that say most, at most so many, in their order.
func (t *teller) best(room int) []int {
	ranked := make([]int, len(t.lines))
	for i := range ranked {
		ranked[i] = i
	}
	slices.SortStableFunc(ranked, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.lines[b].score, t.lines[a].score), cmp.Compare(b, a))
	})
	kept := ranked[:min(max(room, 0), len(ranked))]
	for len(kept) > fewLines && t.lines[kept[len(kept)-1]].score <= dull {
		kept = kept[:len(kept)-1]
	}
	slices.Sort(kept)
	return kept
}
