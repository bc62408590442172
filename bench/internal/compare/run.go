package compare

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"
)

// Options are how thoroughly comparisons are run.
type Options struct {
	Size Size
	// Rounds is how often every contestant takes its turn.
	Rounds int
	// Turn is about how long a turn of timed work takes.
	Turn time.Duration
	// Profiles is how many rows that miss a target are profiled, each for ProfileLength,
	// and Own is a regular expression of the functions that a profile shows.
	Profiles      int
	ProfileLength time.Duration
	Own           string
}

// SmokeRun shows that everything works.
var SmokeRun = Options{Size: Smoke, Rounds: 1, Turn: time.Millisecond}

// A Result is what the rounds of a comparison have yielded.
type Result struct {
	*Comparison
	// Turns are the readings of all the contestants, by name, round by round.
	Turns []map[string]Readings
}

// Run measures a comparison. An error of a contestant fails t.
func Run(t testing.TB, c *Comparison, o Options) *Result {
	t.Helper()
	if c.Setup != nil {
		c.Setup(t)
	}
	entrants := enter(t, c, o)
	rounds := o.Rounds
	if o.Size == Full && c.Rounds > 0 {
		rounds = c.Rounds
	}
	r := &Result{Comparison: c}
	for round := range rounds {
		readings := map[string]Readings{}
		for _, i := range order(round, len(entrants)) {
			runtime.GC() // nobody pays for what another has left
			got, err := entrants[i].turn()
			if err != nil {
				t.Fatalf("%s: %v", entrants[i].Name, err)
			}
			readings[entrants[i].Name] = got
		}
		r.Turns = append(r.Turns, readings)
	}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	return r
}

// An entrant is a contestant that is set up and warm.
type entrant struct {
	*Contestant
	turn func() (Readings, error)
}

// enter sets the contestants up and lets each of them do some work, in which
// what is made at first use is made, and from which timed work learns how often it
// has to be repeated.
func enter(t testing.TB, c *Comparison, o Options) (entrants []entrant) {
	t.Helper()
	for i := range c.Contestants {
		e := entrant{Contestant: &c.Contestants[i]}
		switch w := e.Work; {
		case e.Absent != "":
			continue
		case w.timed != nil:
			run := w.timed(t)
			n, err := repeats(run, o.Turn)
			if err != nil {
				t.Fatalf("%s: %v", e.Name, err)
			}
			e.turn = func() (Readings, error) { return timedTurn(run, n) }
		default:
			measure := w.measured(t)
			if o.Size == Full {
				if _, err := measure(Smoke); err != nil {
					t.Fatalf("%s: %v", e.Name, err)
				}
			}
			e.turn = func() (Readings, error) { return measure(o.Size) }
		}
		entrants = append(entrants, e)
	}
	return entrants
}

func timedTurn(run func(n int) error, n int) (Readings, error) {
	m := StartMeter()
	err := run(n)
	return m.Readings(n), err
}

// mostRepeats is enough for whatever takes time.
const mostRepeats = 1e9

// repeats finds how many operations take about as long as a turn.
func repeats(run func(n int) error, turn time.Duration) (int, error) {
	for n := 1; ; {
		start := time.Now()
		if err := run(n); err != nil {
			return 0, err
		}
		times := float64(turn) / float64(max(time.Since(start), 1))
		if times <= 2 || n >= mostRepeats {
			return int(min(max(float64(n)*times, 1), mostRepeats)), nil
		}
		n = int(float64(n) * min(times, 100))
	}
}

// order is who follows whom in a round: everybody is first, last and in between
// nearly equally often, and exactly so in every 2n rounds, and follows each of his
// neighbours.
func order(round, n int) []int {
	turns := make([]int, n)
	for i := range turns {
		turns[i] = (round/2 + i) % n
		if round%2 == 1 {
			turns[i] = (round/2 + n - 1 - i) % n
		}
	}
	return turns
}

// series returns the readings of a figure, one for every round: NaN where there is
// none, so that the others keep their places.
func (r *Result) series(contestant, figure string) []float64 {
	xs := make([]float64, len(r.Turns))
	for round, turn := range r.Turns {
		x, ok := turn[contestant][figure]
		if !ok {
			x = math.NaN()
		}
		xs[round] = x
	}
	return xs
}

// Median is the median of a contestant's figure, or NaN.
func (r *Result) Median(contestant, figure string) float64 {
	return Summarize(r.series(contestant, figure)).Median
}

// check finds readings that no measurement can have, and figures that ours lacks.
func (r *Result) check() error {
	for _, f := range r.Figures {
		for _, turn := range r.Turns {
			if _, ok := turn[OursName][f.Name]; !ok {
				return fmt.Errorf("%s: %s has no %s", r.Name, OursName, f.Name)
			}
			for who, readings := range turn {
				x, ok := readings[f.Name]
				if ok && (math.IsNaN(x) || math.IsInf(x, 0) || x <= 0 && !f.MayBeZero) {
					return fmt.Errorf("%s: %s: the %s is %v", r.Name, who, f.Name, x)
				}
			}
		}
	}
	return nil
}
