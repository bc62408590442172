// Package explore holds what the search for an interleaving consists of, and what needs no
// bubble: how choices are made, the file of choices that repeats a run, how a list of choices
// is cut down, and what the processes of a search tell each other.
package explore

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// A Spec says how the choices of a run are made.
//
//	fifo       the turn goes to the goroutine that has waited longest
//	random     every choice is drawn
//	pct        priorities, with changes at d - 1 steps; d is 3
//	pct:d/k    the same with d from 1 to 9, and its steps drawn from the first k
//	pos        priorities of events
//
// The text "" is the default: fifo for seed 1, and pct for the others.
type Spec struct {
	Strategy ordered.Strategy
	Depth    int  // of PCT: 1 and more changes of priority than the bug needs
	Steps    int  // of PCT: the steps over which its changes are drawn; 0 has the seed choose
	Asked    bool // it was asked for
}

// DefaultDepth is the depth of PCT: it finds bugs that need two changes of priority.
const DefaultDepth = 3

const mostSteps = 1 << 40

// For is the default for a seed.
func For(seed, fifo uint64) Spec {
	if seed == fifo {
		return Spec{Strategy: ordered.FIFO}
	}
	return Spec{Strategy: ordered.PCT, Depth: DefaultDepth}
}

// Parse reads a spec.
func Parse(text string) (Spec, error) {
	name, numbers, more := strings.Cut(text, ":")
	s := Spec{Asked: text != ""}
	switch name {
	case "":
		return s, nil
	case "fifo":
	case "random":
		s.Strategy = ordered.Random
	case "pos":
		s.Strategy = ordered.POS
	case "pct":
		s.Strategy, s.Depth = ordered.PCT, DefaultDepth
	default:
		return s, fmt.Errorf("%q is none of fifo, random, pct, pct:d/k and pos", text)
	}
	if !more {
		return s, nil
	}
	if name != "pct" || !s.readNumbers(numbers) {
		return s, fmt.Errorf("%q is not like pct:3/240: a depth from 1 to %d, and a number of steps", text, ordered.MostChanges+1)
	}
	return s, nil
}

// readNumbers reads what stands behind "pct:", and reports whether the numbers are in their ranges.
func (s *Spec) readNumbers(text string) bool {
	d, k, ok := strings.Cut(text, "/")
	var err1, err2 error
	s.Depth, err1 = strconv.Atoi(d)
	if ok {
		s.Steps, err2 = strconv.Atoi(k)
	}
	return err1 == nil && err2 == nil && s.Depth >= 1 && s.Depth <= ordered.MostChanges+1 && s.Steps >= 0 && s.Steps <= mostSteps
}

// Over is the spec with the steps over which PCT draws, where it does not say.
func (s Spec) Over(steps int) Spec {
	if s.Strategy == ordered.PCT && s.Steps == 0 {
		s.Steps = steps
	}
	return s
}

// String is the text that Parse reads.
func (s Spec) String() string {
	switch s.Strategy {
	case ordered.Random:
		return "random"
	case ordered.POS:
		return "pos"
	case ordered.PCT:
		if s.Steps > 0 {
			return fmt.Sprintf("pct:%d/%d", s.Depth, s.Steps)
		}
		return fmt.Sprintf("pct:%d", s.Depth)
	}
	return "fifo"
}

// Changes are the steps, from 1, at which PCT changes a priority under a seed.
func (s Spec) Changes(seed uint64) []uint64 {
	if s.Strategy != ordered.PCT {
		return nil
	}
	at := make([]uint64, s.Depth-1)
	for i := range at {
		at[i] = 1 + mix(seed, uint64(i)+1)%s.span(seed)
	}
	return at
}

// span is how many steps PCT draws its changes from, under a seed.
func (s Spec) span(seed uint64) uint64 {
	if s.Steps > 0 {
		return uint64(s.Steps)
	}
	return 8 << (mix(seed, 0) % 8) // 8 to 1,024
}

// mix is a step of splitmix64.
func mix(seed, n uint64) uint64 {
	z := seed*0x9e3779b97f4a7c15 + (n+1)*0xd6e8feb86659fd93
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Bound is the least chance with which one run of PCT finds a bug of depth d among n
// goroutines and k steps: 1/(n·k^(d-1)), of Burckhardt and others, "A Randomized Scheduler
// with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.
func Bound(d, n, k int) float64 {
	return 1 / (float64(max(n, 1)) * math.Pow(float64(max(k, 1)), float64(d-1)))
}
