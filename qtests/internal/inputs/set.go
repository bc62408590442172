package inputs

import (
	"fmt"
	"sync"
	"time"
)

// A Set hands the inputs to one run, and takes note of them. They are those that were given, or
// those that the run has of its own. A nil Set hands out the run's own, and notes nothing. Its
// methods are safe for concurrent use.
type Set struct {
	given *Inputs       // nil: each plan and scenario has its own
	noted func(*Inputs) // is told what has been taken, at once; may be nil

	mu struct {
		sync.Mutex
		taken        Inputs
		plans, loads times // by name
	}
}

// NewSet returns the set of a run. A nil given leaves all as it is. noted, which may be nil, is
// told what the run has taken, each time that there is more.
func NewSet(given *Inputs, noted func(*Inputs)) *Set {
	return &Set{given: given, noted: noted}
}

// Plan returns the faults of a plan that begins now. own are the plan's own, with their names
// and numbers. A second plan of one name is called NAME #2.
func (s *Set) Plan(name string, start time.Duration, own []Fault) []Fault {
	if s == nil {
		return own
	}
	defer s.note()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.mu.plans.add(name); n > 1 {
		name = fmt.Sprintf("%s #%d", name, n)
	}
	faults := own
	if s.given != nil {
		faults = s.given.faultsOf(name)
	}
	for i := range faults {
		faults[i].Plan, faults[i].Start = name, start
	}
	s.mu.taken.Faults = append(s.mu.taken.Faults, faults...)
	return faults
}

// Load returns how much there is to be of a scenario that begins now, and a function that is
// told how many requests there were.
func (s *Set) Load(name string) (l Load, made func(n int64)) {
	l = Load{Name: name, N: 1, Scale: 1}
	if s == nil {
		return l, func(int64) {}
	}
	defer s.note()
	s.mu.Lock()
	defer s.mu.Unlock()
	l.N = s.mu.loads.add(name)
	if s.given != nil {
		s.given.cutLoad(&l)
	}
	i := len(s.mu.taken.Loads)
	s.mu.taken.Loads = append(s.mu.taken.Loads, l)
	return l, func(n int64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mu.taken.Loads[i].Made = n
	}
}

// note tells what has been taken.
func (s *Set) note() {
	if s.noted != nil {
		s.noted(s.Taken())
	}
}

// Taken returns what the run has had so far, or nil where there was nothing.
func (s *Set) Taken() *Inputs {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.taken.Empty() && s.given == nil {
		return nil
	}
	return s.mu.taken.Clone()
}

// times counts by name. Its map is made for the first one: most tests have neither a plan nor a load.
type times struct{ of map[string]int }

func (t *times) add(name string) int {
	if t.of == nil {
		t.of = map[string]int{}
	}
	t.of[name]++
	return t.of[name]
}
