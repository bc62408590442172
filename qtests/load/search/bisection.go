package search

import (
	"math"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A bisection is a search of Capacity.
type bisection struct {
	Levels
	t      tb.TB
	book   ledger
	at     func(level float64) load.Scenario
	answer Answer // so far
}

func newBisection(t tb.TB, book ledger, s Levels, at func(level float64) load.Scenario) *bisection {
	return &bisection{s, t, book, at, Answer{Levels: s, Risk: 1 - math.Pow(0.05, 1/float64(s.Runs))}}
}

// run tries both ends, and if the edge lies between them, finds it.
func (b *bisection) run() error {
	b.t.Helper()
	good, bad := b.Low, b.High
	if b.Smallest {
		good, bad = b.High, b.Low
	}
	for _, level := range []float64{good, bad} {
		kept, err := b.try(level)
		if err != nil || kept != (level == good) {
			return err // without an error the edge lies outside
		}
	}
	return b.narrow(good, bad)
}

// narrow halves the way from a level that is kept to one that is not, until they are near.
func (b *bisection) narrow(good, bad float64) error {
	b.t.Helper()
	for !b.near(good, bad) {
		level := b.between(good, bad)
		switch kept, err := b.try(level); {
		case err != nil:
			return err
		case kept:
			good = level
		default:
			bad = level
		}
	}
	return nil
}

// try runs one level Runs times, or until it is not kept, and says so in the answer.
func (b *bisection) try(level float64) (kept bool, err error) {
	b.t.Helper()
	b.ahead(level)
	a := &b.answer
	for i := range b.Runs {
		if i > 0 {
			a.Trials[len(a.Trials)-1].Result = nil
		}
		trial, err := b.trial(level, i)
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

// ahead makes the trials of a level that are dealt to this part, and that the others will ask for, until one of the
// level is known to break. An error is met again where its trial is asked for.
func (b *bisection) ahead(level float64) {
	b.t.Helper()
	for i := range b.Runs {
		if !b.book.own(i) {
			continue
		}
		if b.breaks(level, i) {
			return
		}
		if trial, err := b.trial(level, i); err != nil || !trial.Kept {
			return
		}
	}
}

// breaks reports whether one of the first n trials of a level is known to break.
func (b *bisection) breaks(level float64, n int) bool {
	for i := range n {
		var known Trial
		if b.book.read(level, i, &known) && !known.Kept {
			return true
		}
	}
	return false
}

// trial is trial i of a level: as another part has told, or else made here.
func (b *bisection) trial(level float64, i int) (trial Trial, err error) {
	b.t.Helper()
	if b.book.read(level, i, &trial) {
		return trial, nil
	}
	if trial, err = run(b.t, b.at(level), level, uint64(i)); err == nil {
		err = b.book.write(level, i, trial)
	}
	return trial, err
}
