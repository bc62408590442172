package search

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Levels says where Capacity looks and how closely.
type Levels struct {
	// Low and High bound the answer, 0 < Low < High. The system is expected to keep its thresholds at
	// Low and not at High, or with Smallest the other way round. If that is wrong, the answer says so.
	Low, High float64
	// Precision is how far apart the highest level that is kept and the lowest that is not may be, as a
	// share of the smaller one, from 0.000001 to below 1. Default 0.05. It may not be set with Whole,
	// whose answer is exact.
	Precision float64
	// Runs is how often each level is run, each time with another seed, from 1 to 1000. A level is kept if
	// all of its runs keep their thresholds. Default 5. A level that breaks with a share p of all seeds
	// passes n runs with probability (1-p)^n. So n runs tell, with 95 % confidence, that the level breaks
	// with at most 1 - 0.05^(1/n) of the seeds: 1 run 95 %, which tells nothing, 5 runs 45 %, 10 runs 26 %,
	// 59 runs 5 %. A level that breaks ends with its first broken run.
	Runs int
	// Smallest looks for the smallest level that is kept, such as the size of a
	// pool, instead of the highest, such as a rate.
	Smallest bool
	// Whole looks at whole numbers only: from Low, rounded up, to High, rounded
	// down.
	Whole bool
}

// DefaultRuns is the default of Levels.Runs.
const DefaultRuns = 5

// leastPrecision is far above what a float64 tells apart, so that a search ends.
const leastPrecision = 1e-6

// An Answer is what Capacity found.
type Answer struct {
	// Level is the highest (or smallest) level tried that kept the thresholds.
	// It is meaningful when Found.
	Level float64
	Found bool
	// Next is the nearest level tried that did not keep them, or zero if all did. The edge lies between Level
	// and Next.
	Next float64
	// Levels is what was asked for, with its defaults: the precision of the
	// answer and the number of runs behind it.
	Levels Levels
	// Risk is the largest share of seeds with which Level may break all the same, with 95 % confidence.
	Risk   float64
	Trials []Trial
}

// A Trial is one run of Capacity.
type Trial struct {
	Level  float64
	Seed   uint64
	Kept   bool
	Reason string // the first threshold that was broken
	// Note says that in real time the machine which generated the load was too slow.
	Note string

	Rate      float64
	P50, P99  time.Duration
	ErrorRate float64
	// Dropped is the share of the arrivals that found no place.
	Dropped float64
	// Result is set for the last run of a level only, so that a search of many runs stays small.
	Result *result.Result
}

// Capacity finds the highest level that keeps the thresholds, or the smallest, by bisection: it runs the scenario
// that at returns for each level. at(level) is called once for each run and must make new pools, fakes and
// breakers, because these remember. The scenario needs thresholds. The search takes the answer to be monotone:
// above a level that breaks, every level breaks. More Runs help where noise makes that wrong.
//
// All runs are at scale 1, whatever -qtests.scale and -short say: a level with a tenth of the load would be another
// level.
//
// Of a run that is divided among processes, each begins with the trials that are dealt to it and takes the others from
// the directory that all share. They come to the same answer. Trials must not depend on each other then, and a Result
// is what is left of it in JSON. This is for the fake clock: in real time no part can judge a level, and that is an
// error.
//
// The table of all trials goes to the log of t. An error in the search or in a scenario fails t. So does a run that
// tells nothing about its level: one that was ended by the user, by its context or by an error, or one whose load
// the machine could not generate, if FailWhenSlow. A broken threshold does not fail t, because it is an answer. A
// panic, and a request that ignores its cancelled context, are answers, too. The test says whether the answer is
// good enough:
//
//	a := search.Capacity(q, search.Levels{Low: 10, High: 1000}, at)
//	if !a.Found || a.Level < 200 {
//		q.Errorf("want 200/s at least:\n%s", a)
//	}
//
// With Smallest it is a.Level > 8, for example.
func Capacity(t tb.TB, search Levels, at func(level float64) load.Scenario) Answer {
	t.Helper()
	search, err := search.withDefaults()
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	book, err := openLedger(t, "capacity")
	if err != nil {
		tb.Fatalf(t, "load: Capacity: %v", err)
	}
	a, err := search.run(t, book, at)
	if err != nil {
		t.Logf("capacity: no answer\n%s", a.table())
		tb.Fatalf(t, "%v", err)
	}
	t.Logf("%s", a)
	return a
}

func (s Levels) withDefaults() (Levels, error) {
	if s.Precision != 0 && s.Whole {
		return s, fmt.Errorf("load: Levels.Precision: %v has no meaning with Whole, whose answer is exact", s.Precision)
	}
	if s.Precision == 0 && !s.Whole {
		s.Precision = 0.05
	}
	if s.Runs == 0 {
		s.Runs = DefaultRuns
	}
	if s.Whole {
		s.Low, s.High = math.Ceil(s.Low), math.Floor(s.High)
	}
	switch {
	case !(s.Low > 0 && s.High > s.Low && s.High <= 1e12):
		return s, fmt.Errorf("load: Levels.Low, High: %v, %v: want 0 < Low < High <= 1e12", s.Low, s.High)
	case !s.Whole && !(s.Precision >= leastPrecision && s.Precision < 1):
		return s, fmt.Errorf("load: Levels.Precision: %v is not between %v and 1", s.Precision, leastPrecision)
	case s.Runs < 0 || s.Runs > 1000:
		return s, fmt.Errorf("load: Levels.Runs: %d is not between 1 and 1000", s.Runs)
	}
	return s, nil
}

// run bisects. good is a level that is known to be kept, bad a level that is known not to be.
func (s Levels) run(t tb.TB, book ledger, at func(float64) load.Scenario) (Answer, error) {
	t.Helper()
	a := Answer{Levels: s, Risk: 1 - math.Pow(0.05, 1/float64(s.Runs))}
	good, bad := s.Low, s.High
	if s.Smallest {
		good, bad = s.High, s.Low
	}
	for _, level := range []float64{good, bad} {
		kept, err := s.try(t, book, at, level, &a)
		if err != nil || kept != (level == good) {
			return a, err // without an error the edge lies outside
		}
	}
	for !s.near(good, bad) {
		level := s.between(good, bad)
		kept, err := s.try(t, book, at, level, &a)
		if err != nil {
			return a, err
		}
		if kept {
			good = level
		} else {
			bad = level
		}
	}
	return a, nil
}

// between is the level in the middle.
func (s Levels) between(good, bad float64) float64 {
	middle := good + (bad-good)/2
	if s.Whole {
		return math.Floor(middle)
	}
	return middle
}

// near reports whether the edge is known with the precision that was asked for.
func (s Levels) near(good, bad float64) bool {
	if s.Whole {
		return math.Abs(good-bad) <= 1
	}
	return math.Abs(good-bad) <= s.Precision*min(good, bad)
}

// try runs one level Runs times, or until it is not kept, and says so in the answer.
func (s Levels) try(t tb.TB, book ledger, at func(float64) load.Scenario, level float64, a *Answer) (kept bool, err error) {
	t.Helper()
	s.ahead(t, book, at, level)
	for i := range s.Runs {
		if i > 0 {
			a.Trials[len(a.Trials)-1].Result = nil
		}
		trial, err := book.trial(t, at, level, i)
		if trial.Result != nil {
			a.Trials = append(a.Trials, trial)
		}
		if err != nil {
			return false, err
		}
		if !trial.Kept {
			a.Next = level
			return false, nil
		}
	}
	a.Level, a.Found = level, true
	return true, nil
}

// ahead runs this part's own of a level, which the others will ask for, until one of the level is
// known to break. An error is met again where its run is asked for.
func (s Levels) ahead(t tb.TB, book ledger, at func(float64) load.Scenario, level float64) {
	t.Helper()
	for i := range s.Runs {
		if !book.own(i) {
			continue
		}
		for k := range i {
			var known Trial
			if book.read(level, k, &known) && !known.Kept {
				return
			}
		}
		if trial, err := book.trial(t, at, level, i); err != nil || !trial.Kept {
			return
		}
	}
}

// trial is run i of a level: as another part has told, or else run here.
func (l ledger) trial(t tb.TB, at func(float64) load.Scenario, level float64, i int) (trial Trial, err error) {
	t.Helper()
	if l.read(level, i, &trial) {
		return trial, nil
	}
	if trial, err = run(t, at(level), level, uint64(i)); err == nil {
		err = l.write(level, i, trial)
	}
	return trial, err
}

// run runs a scenario once. Without a result in the trial it did not run.
func run(t tb.TB, s load.Scenario, level float64, number uint64) (Trial, error) {
	t.Helper()
	if len(s.Thresholds)+len(s.Limits) == 0 {
		return Trial{}, errors.New("load: Capacity: the scenario has no thresholds to keep")
	}
	if s.Seed == 0 {
		s.Seed = tb.SeedOf(t)
	}
	s.Seed += number
	res, err := load.Try(t, s)
	if err != nil {
		return Trial{}, err
	}
	if why := noAnswer(res); why != "" {
		err = fmt.Errorf("load: Capacity: level %.6g, seed %d: %s", level, res.Seed, why)
	}
	return newTrial(level, res), err
}

func newTrial(level float64, res *result.Result) Trial {
	trial := Trial{
		Level: level, Seed: res.Seed, Note: res.Warning, Result: res,
		Rate: res.Rate(), P50: res.Response.Percentile(50), P99: res.Response.Percentile(99), ErrorRate: res.ErrorRate(),
		Dropped: float64(res.Dropped) / float64(max(res.Scheduled, 1)),
	}
	trial.Reason = notKept(res)
	trial.Kept = trial.Reason == ""
	return trial
}

// notKept says in a line why a level does not count as kept, or nothing.
func notKept(r *result.Result) string {
	for _, v := range r.Failed() {
		return v.String()
	}
	switch {
	case r.Halted != "":
		return r.Halted
	case r.Slow:
		return r.Warning
	case r.Panics > 0:
		return "code of the scenario panicked " + text.Times(r.Panics)
	case r.Abandoned > 0:
		return fmt.Sprintf("%d requests ignored their cancelled context", r.Abandoned)
	}
	return ""
}

// noAnswer says why a run tells nothing about the system under test: it ended before its time for another reason
// than a threshold, or its load was not the one that was asked for. It is empty if the run tells something.
func noAnswer(r *result.Result) string {
	switch {
	case r.Halted != "" && !r.Aborted:
		return fmt.Sprintf("the run ended early, at %v: %s", text.Short(r.Elapsed), r.Halted)
	case r.Slow:
		return r.Warning
	}
	return ""
}

// String is the answer, how sure it is, and the table of all trials.
func (a Answer) String() string {
	var b strings.Builder
	s := a.Levels
	fmt.Fprintf(&b, "capacity: %s\n", a.finding())
	within := fmt.Sprintf("within %.3g %%", 100*s.Precision)
	if s.Whole {
		within = "in whole numbers"
	}
	fmt.Fprintf(&b, "  %s, %s a level\n", within, text.Plural(s.Runs, "run"))
	if a.Found {
		b.WriteString(a.confidence())
	}
	return b.String() + a.table()
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
	sign, why := "kept", t.Reason
	if !t.Kept {
		sign = "broken"
	}
	if t.Note != "" {
		sign += " *"
	}
	if why == t.Note {
		why = "" // the warning says it below the table
	}
	row := []string{fmt.Sprintf("%.6g", t.Level), fmt.Sprint(t.Seed), sign, text.Significant(t.Rate) + "/s",
		text.Short(t.P50), text.Short(t.P99), fmt.Sprintf("%.3g%%", 100*t.ErrorRate)}
	if dropped {
		row = append(row, fmt.Sprintf("%.3g%%", 100*t.Dropped))
	}
	return append(row, text.Clip(why, 120))
}

// warning is the first of the notes, and how many there are.
func (a Answer) warning() string {
	var first Trial
	n := 0
	for _, t := range a.Trials {
		if t.Note == "" {
			continue
		}
		if n++; n == 1 {
			first = t
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("  * a warning, in %d of %s; at level %.6g, seed %d: %s\n", n, text.Plural(len(a.Trials), "run"), first.Level, first.Seed, first.Note)
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
