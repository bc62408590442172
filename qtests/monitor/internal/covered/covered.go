// Package covered collects what the alerts of all monitors of a process did, for package
// coverage. It collects nothing until Start.
package covered

import (
	"slices"
	"sync"
)

// A Count is what one alert did in one monitor, or in all of them.
type Count struct {
	Origin, Name string
	// Monitors had the rule; Pending, Fired and Resolved count changes into that state.
	Monitors, Pending, Fired, Resolved int64
	// Tests are the tests in which it fired, sorted.
	Tests []string
	// Missing are the selectors that chose no series in any of the monitors, sorted.
	Missing []string
}

// A sum is the Count of all monitors, with how many monitors each selector is missing in.
type sum struct {
	Count
	missing map[string]int64
}

// maxTests bounds the tests that are kept of one alert.
const maxTests = 20

type key struct{ origin, name string }

var mu sync.Mutex

// counts is nil until Start; mu guards it.
var counts map[key]*sum

// Start begins to collect, from nothing.
func Start() {
	mu.Lock()
	defer mu.Unlock()
	counts = map[key]*sum{}
}

// Stop ends it and returns what was collected, in any order.
func Stop() []Count {
	mu.Lock()
	defer mu.Unlock()
	var out []Count
	for _, s := range counts {
		out = append(out, s.count())
	}
	counts = nil
	return out
}

// On reports whether anything is collected.
func On() bool {
	mu.Lock()
	defer mu.Unlock()
	return counts != nil
}

// Add adds what the alerts of one monitor did.
func Add(all []Count) {
	mu.Lock()
	defer mu.Unlock()
	if counts == nil {
		return
	}
	for _, c := range all {
		sumOf(c.Origin, c.Name).add(c)
	}
}

// sumOf returns what was collected of an alert, or begins it. The caller holds mu.
func sumOf(origin, name string) *sum {
	k := key{origin, name}
	if counts[k] == nil {
		counts[k] = &sum{Count: Count{Origin: origin, Name: name}, missing: map[string]int64{}}
	}
	return counts[k]
}

// count returns the Count, with the selectors that are missing in all monitors.
func (s *sum) count() Count {
	out := s.Count
	slices.Sort(out.Tests)
	for selector, n := range s.missing {
		if n == s.Monitors {
			out.Missing = append(out.Missing, selector)
		}
	}
	slices.Sort(out.Missing)
	return out
}

func (s *sum) add(c Count) {
	s.Monitors += c.Monitors
	s.Pending += c.Pending
	s.Fired += c.Fired
	s.Resolved += c.Resolved
	for _, test := range c.Tests {
		if test != "" && len(s.Tests) < maxTests && !slices.Contains(s.Tests, test) {
			s.Tests = append(s.Tests, test)
		}
	}
	for _, selector := range c.Missing {
		s.missing[selector]++
	}
}
