package search

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/tb"
)

// DefaultSweep is how many seeds Sweep tries by default.
const DefaultSweep = 100

// MaxSweep is how many seeds Sweep tries at most.
const MaxSweep = 10_000

// A Chance is in how many of the runs of a [Sweep] the objective held, and what that says of all other seeds.
type Chance struct {
	Held, Runs int
	// Low and High bound the share of all seeds with which the objective holds, with 95 % confidence (Clopper and Pearson, "The Use of Confidence or
	// Fiducial Limits Illustrated in the Case of the Binomial", 1934: exact, and so a little wider than needed).
	Low, High float64
	// Broken are the runs that did not hold, in the order of their seeds, without their results, at most 100.
	Broken []Trial
}

// Share is Held/Runs.
func (c Chance) Share() float64 { return float64(c.Held) / float64(max(c.Runs, 1)) }

// maxBroken is how many trials a Chance keeps.
const maxBroken = 100

// Sweep runs the scenario that at returns under so many seeds, 100 if seeds is 0 and 10,000 at most, one after the other from the seed of t on, and
// says with what chance its thresholds hold. at(seed) is called once for each run and must make new fleets, pools and fakes; what draws its own
// faults is to draw them from the seed (fleet.Config.Seed), as the scenario does. A scenario needs thresholds. Runs are at scale 1.
//
// The answer goes to the log of t. A threshold that is broken does not fail t: it is part of the answer. What tells nothing about the system, an error in a
// scenario or a run that was ended from outside, fails t.
//
//	c := search.Sweep(q, 200, func(seed uint64) load.Scenario { … })
//	if c.Low < 0.95 {
//		q.Errorf("it survives its crashes too rarely:\n%v", c)
//	}
func Sweep(t tb.TB, seeds int, at func(seed uint64) load.Scenario) Chance {
	t.Helper()
	if seeds == 0 {
		seeds = DefaultSweep
	}
	if seeds < 0 || seeds > MaxSweep {
		tb.Fatalf(t, "load: Sweep: %d seeds: want 1 to %d", seeds, MaxSweep)
	}
	c := Chance{Runs: seeds}
	for i := range uint64(seeds) {
		seed := tb.SeedOf(t) + i
		trial, err := sweepOne(t, at(seed), seed)
		if err != nil {
			tb.Fatalf(t, "%v", err)
		}
		c.add(trial)
	}
	c.Low, c.High = clopperPearson(c.Held, c.Runs, 0.95)
	t.Logf("%s", c)
	return c
}

func (c *Chance) add(trial Trial) {
	if trial.Kept {
		c.Held++
	} else if len(c.Broken) < maxBroken {
		trial.Result = nil
		c.Broken = append(c.Broken, trial)
	}
}

func sweepOne(t tb.TB, s load.Scenario, seed uint64) (Trial, error) {
	t.Helper()
	if len(s.Thresholds)+len(s.Limits) == 0 {
		return Trial{}, errors.New("load: Sweep: the scenario has no thresholds to hold")
	}
	if s.Seed == 0 {
		s.Seed = seed
	}
	res, err := load.Try(t, s)
	if err != nil {
		return Trial{}, err
	}
	if why := noAnswer(res); why != "" {
		return Trial{}, fmt.Errorf("load: Sweep: seed %d: %s", seed, why)
	}
	return newTrial(0, res), nil
}

// clopperPearson bounds the chance of something that happened k times in n: the bounds are those chances at which so many or more,
// and so many or fewer, happen with (1-confidence)/2 each.
func clopperPearson(k, n int, confidence float64) (low, high float64) {
	tail := (1 - confidence) / 2
	high = 1
	if k > 0 {
		low = solve(func(p float64) float64 { return 1 - binomialUpTo(k-1, n, p) }, tail)
	}
	if k < n {
		high = solve(func(p float64) float64 { return 1 - binomialUpTo(k, n, p) }, 1-tail)
	}
	return low, high
}

// solve finds p between 0 and 1 where a rising function has a value.
func solve(rising func(p float64) float64, value float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if middle := (low + high) / 2; rising(middle) < value {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// binomialUpTo is the chance that something of chance p happens at most k times in n, k below n.
func binomialUpTo(k, n int, p float64) (sum float64) {
	if p <= 0 {
		return 1
	}
	if p >= 1 {
		return 0
	}
	for i := range k + 1 {
		sum += math.Exp(logFactorial(n) - logFactorial(i) - logFactorial(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}

// logFactorial is the logarithm of n!.
func logFactorial(n int) float64 {
	v, _ := math.Lgamma(float64(n + 1)) // its sign is positive
	return v
}

// String says the chance in a line, and has a table of the first 20 runs that did not hold.
func (c Chance) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "chance: held with %d of %s, %.4g%%; of all seeds, with 95 %% confidence, from %.4g%% to %.4g%%\n",
		c.Held, text.Plural(c.Runs, "seed"), 100*c.Share(), 100*c.Low, 100*c.High)
	if len(c.Broken) == 0 {
		return b.String()
	}
	shown := c.Broken[:min(20, len(c.Broken))]
	brokenTable(&b, shown)
	if more := c.Runs - c.Held - len(shown); more > 0 {
		fmt.Fprintf(&b, "  … and %d more\n", more)
	}
	return b.String()
}

func brokenTable(b *strings.Builder, broken []Trial) {
	rows := [][]string{{"seed", "rate", "p50", "p99", "errors", "why not"}}
	for _, t := range broken {
		rows = append(rows, []string{fmt.Sprint(t.Seed), text.Significant(t.Rate) + "/s", text.Short(t.P50), text.Short(t.P99), percent(t.ErrorRate), text.Clip(t.Reason, 120)})
	}
	text.Table(b, rows)
}
