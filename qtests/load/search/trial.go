package search

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

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
		Dropped: float64(res.Dropped) / float64(max(res.Scheduled, 1)), Reason: notKept(res),
	}
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

func percent(share float64) string { return fmt.Sprintf("%.3g%%", 100*share) }
