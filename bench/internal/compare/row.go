package compare

import (
	"math"
)

// A Row is one figure of a result, judged.
type Row struct {
	Result  *Result
	Figure  *Figure
	Against []Against
	Judged  []Judged
}

// Against is how ours compares with another contestant.
type Against struct {
	*Contestant
	// Ratio is ours to theirs, and More is ours less theirs, in rounds.
	Ratio, More Summary
	// Ahead says that theirs is better than ours, by the medians of the pairs, and
	// WithinSpread that it is not in some of the rounds between the quartiles.
	Ahead, WithinSpread bool
}

// Judged is a target and what became of it.
type Judged struct {
	Target
	Actual  Summary
	Verdict Verdict
	// WithinSpread says that the limit lies between the quartiles, so that another
	// run may come to another verdict.
	WithinSpread bool
}

// Rows returns a row for every figure.
func (r *Result) Rows() []Row {
	rows := make([]Row, len(r.Figures))
	for i := range r.Figures {
		rows[i] = r.row(&r.Figures[i])
	}
	return rows
}

func (r *Result) row(f *Figure) Row {
	row := Row{Result: r, Figure: f}
	ours := r.series(OursName, f.Name)
	for i := range r.Contestants {
		c := &r.Contestants[i]
		theirs := r.series(c.Name, f.Name)
		a := Against{Contestant: c, Ratio: Summarize(ratios(ours, theirs)), More: Summarize(differences(ours, theirs))}
		if c.Role == RoleOurs || a.More.N == 0 {
			continue
		}
		a.Ahead = a.More.Median > 0 != f.MoreIsBetter && a.More.Median != 0
		a.WithinSpread = a.Ahead && a.Ratio.Low <= 1 && a.Ratio.High >= 1
		row.Against = append(row.Against, a)
	}
	for _, t := range f.Targets {
		actual := t.actual(ours, r.series(t.against, f.Name))
		row.Judged = append(row.Judged, Judged{
			Target: t, Actual: actual, Verdict: t.judge(f, actual.Median),
			WithinSpread: t.judge(f, actual.Low) != t.judge(f, actual.High),
		})
	}
	return row
}

// Missed says that a target is missed.
func (r Row) Missed() bool {
	for _, j := range r.Judged {
		if j.Verdict == Missed {
			return true
		}
	}
	return false
}

// Behind returns the peers that are ahead of ours.
func (r Row) Behind() (peers []Against) {
	for _, a := range r.Against {
		if a.Role == RolePeer && a.Ahead {
			peers = append(peers, a)
		}
	}
	return peers
}

// NeedsExplaining says that the row is not as it should be.
func (r Row) NeedsExplaining() bool { return r.Missed() || len(r.Behind()) > 0 }

func (r *Result) needsExplaining() bool {
	for _, row := range r.Rows() {
		if row.NeedsExplaining() {
			return true
		}
	}
	return false
}

// finite says that x can be written down.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
