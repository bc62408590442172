package load

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests"
)

// Search says where Capacity looks and how closely.
type Search struct {
	// Low and High bound the answer, 0 < Low < High. Low is what the system is
	// expected to keep and High what it is not; where that turns out wrong, the
	// answer says so.
	Low, High float64
	// Precision is how far the answer may be from the edge, as a share of it, over 0 and
	// below 1. Default 0.05.
	Precision float64
	// Runs is how often each level is run, with seeds of its own; a level is kept when all of its
	// runs keep their thresholds. Default 1. With n runs a level that
	// breaks in a share p of all seeds passes with probability (1-p)^n: 5 runs rule out p = 0.45 with
	// 95 % confidence.
	Runs int
	// Smallest looks for the smallest level that is kept, such as the size of a
	// pool, instead of the highest, such as a rate.
	Smallest bool
	// Whole looks at whole numbers only.
	Whole bool
}

// An Answer is what Capacity found.
type Answer struct {
	// Level is the highest (or smallest) level tried that kept the thresholds.
	// It is meaningful when Found.
	Level float64
	Found bool
	// Next is the nearest level tried that did not, or zero when all did: the edge lies between
	// Level and Next.
	Next   float64
	Trials []Trial
}

// A Trial is one run of Capacity.
type Trial struct {
	Level  float64
	Seed   uint64
	Kept   bool
	Reason string // the first threshold that was broken
	Result *Result
}

// Capacity finds the highest level that keeps the thresholds, or the smallest,
// by bisection: it runs the scenario that at returns for each level. Whatever at builds, it builds
// anew for every run: pools, fakes and breakers remember. The scenario needs
// thresholds. Levels are compared as if the answer were monotone; where noise makes
// it not so, more Runs help.
//
// The table of all trials goes to the log of t. An error in the search or
// in a scenario fails t; a broken threshold does not, it is an answer.
func Capacity(t qtests.TB, search Search, at func(level float64) Scenario) Answer {
	t.Helper()
	search, err := search.withDefaults()
	if err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	a, err := search.run(t, at)
	if err != nil {
		qtests.Fatalf(t, "%v", err)
	}
	t.Logf("%s", a)
	return a
}

func (s Search) withDefaults() (Search, error) {
	if s.Precision == 0 {
		s.Precision = 0.05
	}
	if s.Runs == 0 {
		s.Runs = 1
	}
	switch {
	case !(s.Low > 0 && s.High > s.Low && s.High <= 1e12):
		return s, fmt.Errorf("load: Search.Low, High: %v, %v: want 0 < Low < High <= 1e12", s.Low, s.High)
	case !(s.Precision > 0 && s.Precision < 1):
		return s, fmt.Errorf("load: Search.Precision: %v is not between 0 and 1", s.Precision)
	case s.Runs < 0 || s.Runs > 1000:
		return s, fmt.Errorf("load: Search.Runs: %d is not between 1 and 1000", s.Runs)
	}
	return s, nil
}

// run bisects. good is the level known to keep, bad the one known not to.
func (s Search) run(t qtests.TB, at func(float64) Scenario) (a Answer, err error) {
	good, bad := s.Low, s.High
	if s.Smallest {
		good, bad = s.High, s.Low
	}
	for _, level := range []float64{good, bad} {
		kept, err := s.try(t, at, level, &a)
		if err != nil {
			return a, err
		}
		if kept {
			a.Level, a.Found = level, true
		} else {
			a.Next = level
		}
		if kept != (level == good) {
			return a, nil // the edge lies outside
		}
	}
	for {
		middle := good + (bad-good)/2
		if s.Whole {
			middle = float64(int64(middle))
			if middle == min(good, bad) && max(good, bad)-middle <= 1 {
				return a, nil
			}
		}
		if d := max(good, bad) - min(good, bad); d <= s.Precision*min(good, bad) && !s.Whole {
			return a, nil
		}
		kept, err := s.try(t, at, middle, &a)
		if err != nil {
			return a, err
		}
		if kept {
			good, a.Level = middle, middle
		} else {
			bad, a.Next = middle, middle
		}
	}
}

// try runs one level as often as asked for, until it is not kept.
func (s Search) try(t qtests.TB, at func(float64) Scenario, level float64, a *Answer) (kept bool, err error) {
	for i := range s.Runs {
		scenario := at(level)
		if len(scenario.Thresholds)+len(scenario.Limits) == 0 {
			return false, errors.New("load: Capacity: the scenario has no thresholds to keep")
		}
		if scenario.Seed == 0 {
			scenario.Seed = qtests.SeedOf(t)
		}
		scenario.Seed += uint64(i)
		r, err := prepare(t, scenario)
		if err != nil {
			return false, err
		}
		res, err := r.execute()
		if err != nil {
			return false, err
		}
		trial := Trial{Level: level, Seed: res.Seed, Kept: res.verdict() == "PASS", Result: res}
		if !trial.Kept {
			trial.Reason = res.reason()
		}
		a.Trials = append(a.Trials, trial)
		if !trial.Kept {
			return false, nil
		}
	}
	return true, nil
}

// reason says in a line why the result is not a pass.
func (r *Result) reason() string {
	for _, v := range r.Failed() {
		return v.String()
	}
	switch {
	case r.Halted != "":
		return r.Halted
	case r.Slow:
		return r.Warning
	case r.Panics > 0:
		return fmt.Sprintf("%d requests panicked", r.Panics)
	case r.Abandoned > 0:
		return fmt.Sprintf("%d requests ignored their cancelled context", r.Abandoned)
	}
	return ""
}

// String is the answer and the table of all trials.
func (a Answer) String() string {
	var b strings.Builder
	switch {
	case !a.Found:
		fmt.Fprintf(&b, "capacity: no level was kept, the first was %s\n", number(a.Next))
	case a.Next == 0:
		fmt.Fprintf(&b, "capacity: at least %s, every level was kept\n", number(a.Level))
	default:
		fmt.Fprintf(&b, "capacity: %.6g is kept, %.6g is not\n", a.Level, a.Next)
	}
	rows := [][]string{{"level", "seed", "", "rate", "p50", "p99", "errors", "why not"}}
	for _, t := range a.Trials {
		sign := "kept"
		if !t.Kept {
			sign = "broken"
		}
		rows = append(rows, []string{fmt.Sprintf("%.6g", t.Level), fmt.Sprint(t.Seed), sign, significant(t.Result.Rate()) + "/s",
			short(t.Result.Response.Percentile(50)), short(t.Result.Response.Percentile(99)),
			fmt.Sprintf("%.3g%%", 100*t.Result.ErrorRate()), clip(t.Reason, 80)})
	}
	table(&b, rows)
	return b.String()
}
