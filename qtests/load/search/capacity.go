package search

import (
	"cmp"
	"fmt"
	"math"

	"github.com/go-qtests/qtests/qtests/load"
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
	b := newBisection(t, book, search, at)
	if err := b.run(); err != nil {
		t.Logf("capacity: no answer\n%s", b.answer.table())
		tb.Fatalf(t, "%v", err)
	}
	t.Logf("%s", b.answer)
	return b.answer
}

func (s Levels) withDefaults() (Levels, error) {
	if s.Precision != 0 && s.Whole {
		return s, fmt.Errorf("load: Levels.Precision: %v has no meaning with Whole, whose answer is exact", s.Precision)
	}
	if s.Whole {
		s.Low, s.High = math.Ceil(s.Low), math.Floor(s.High)
	} else {
		s.Precision = cmp.Or(s.Precision, 0.05)
	}
	s.Runs = cmp.Or(s.Runs, DefaultRuns)
	return s, s.check()
}

func (s Levels) check() error {
	switch {
	case !(s.Low > 0 && s.High > s.Low && s.High <= 1e12):
		return fmt.Errorf("load: Levels.Low, High: %v, %v: want 0 < Low < High <= 1e12", s.Low, s.High)
	case !s.Whole && !(s.Precision >= leastPrecision && s.Precision < 1):
		return fmt.Errorf("load: Levels.Precision: %v is not between %v and 1", s.Precision, leastPrecision)
	case s.Runs < 0 || s.Runs > 1000:
		return fmt.Errorf("load: Levels.Runs: %d is not between 1 and 1000", s.Runs)
	}
	return nil
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
