package search

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// String is the answer, how sure it is, and the table of all trials.
func (a Answer) String() string {
	s := fmt.Sprintf("capacity: %s\n  %s, %s a level\n", a.finding(), a.Levels.exactness(), text.Plural(a.Levels.Runs, "run"))
	if a.Found {
		s += a.confidence()
	}
	return s + a.table()
}

func (s Levels) exactness() string {
	if s.Whole {
		return "in whole numbers"
	}
	return fmt.Sprintf("within %.3g %%", 100*s.Precision)
}

// sureRuns is from how many runs a level on the answer needs no advice: 5 %.
const sureRuns = 59

// confidence says what the number of runs tells about other seeds.
func (a Answer) confidence() string {
	seeds := "the one seed"
	if a.Levels.Runs > 1 {
		seeds = fmt.Sprintf("all %d seeds", a.Levels.Runs)
	}
	text := fmt.Sprintf("  %.6g was kept with %s tried; of all other seeds, with 95 %% confidence, at most %.2g %% break it\n", a.Level, seeds, 100*a.Risk)
	if a.Levels.Runs < sureRuns {
		text += fmt.Sprintf("  (this bound is what so few runs can show, not how often it breaks: raise Runs to be surer, to %d for 5 %%)\n", sureRuns)
	}
	return text
}

// table has a column for what was dropped, if anything was. A warning about a slow generator comes in full below
// it.
func (a Answer) table() string {
	heads := []string{"level", "seed", "", "rate", "p50", "p99", "errors"}
	dropped := slices.ContainsFunc(a.Trials, func(t Trial) bool { return t.Dropped > 0 })
	if dropped {
		heads = append(heads, "dropped")
	}
	rows := [][]string{append(heads, "why not")}
	for _, t := range a.Trials {
		rows = append(rows, t.row(dropped))
	}
	var b strings.Builder
	text.Table(&b, rows)
	return b.String() + a.warning()
}

// row is the trial in the table, which has a column for what was dropped if dropped.
func (t Trial) row(dropped bool) []string {
	why := t.Reason
	if why == t.Note {
		why = "" // the warning says it below the table
	}
	row := []string{fmt.Sprintf("%.6g", t.Level), fmt.Sprint(t.Seed), t.verdict(), text.Significant(t.Rate) + "/s",
		text.Short(t.P50), text.Short(t.P99), percent(t.ErrorRate)}
	if dropped {
		row = append(row, percent(t.Dropped))
	}
	return append(row, text.Clip(why, 120))
}

// verdict has a star for what is said below the table.
func (t Trial) verdict() string {
	verdict := "kept"
	if !t.Kept {
		verdict = "broken"
	}
	if t.Note != "" {
		verdict += " *"
	}
	return verdict
}

// warning is the first of the notes, and how many there are.
func (a Answer) warning() string {
	noted := slices.DeleteFunc(slices.Clone(a.Trials), func(t Trial) bool { return t.Note == "" })
	if len(noted) == 0 {
		return ""
	}
	first := noted[0]
	return fmt.Sprintf("  * a warning, in %d of %s; at level %.6g, seed %d: %s\n", len(noted), text.Plural(len(a.Trials), "run"), first.Level, first.Seed, first.Note)
}

func (a Answer) finding() string {
	best, worst, easier, harder, up := "lowest", "highest", "lower Low", "raise High", "up"
	if a.Levels.Smallest {
		best, worst, easier, harder, up = "highest", "lowest", "raise High", "lower Low", "down"
	}
	switch {
	case len(a.Trials) == 0:
		return "nothing was tried"
	case !a.Found:
		return fmt.Sprintf("no level was kept, not even %s, the %s of the search: %s to find one that is", text.Number(a.Next), best, easier)
	case a.Next == 0 && a.Levels.Smallest && a.Levels.Whole && a.Level == 1:
		return "every level tried was kept, down to 1, the smallest whole number"
	case a.Next == 0:
		return fmt.Sprintf("every level tried was kept, %s to %s, the %s of the search: %s to find one that is not", up, text.Number(a.Level), worst, harder)
	}
	return fmt.Sprintf("%.6g is kept, %.6g is not", a.Level, a.Next)
}
