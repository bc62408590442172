package breaker

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// maxSteps bounds the steps of a script that wait to happen.
const maxSteps = 10_000

// errScripted is what FailNext fails a call with by default.
var errScripted = errors.New("breaker: scripted failure")

// A Step is one line of a script, see [Breaker.Script]. It is a value.
type Step struct {
	kind   stepKind
	at     time.Duration
	length time.Duration
	timed  bool // For was called
	n      int
	err    error
}

type stepKind uint8

const (
	stepNone stepKind = iota
	stepOpen
	stepReject
	stepFail
)

// OpenAt opens the breaker at an offset from the call of Script, whatever was
// counted, for the length that For gives it, or for ResetTimeout without For.
// Then it is half-open, as after any opening. A breaker that is open already at
// that instant stays open at least until the end of the step; a forced one
// takes no notice.
func OpenAt(offset time.Duration) Step { return Step{kind: stepOpen, at: offset} }

// For gives an OpenAt step its length, which must be positive.
func (s Step) For(d time.Duration) Step { s.length, s.timed = d, true; return s }

// RejectNext rejects the next n calls, in any state and mode.
func RejectNext(n int) Step { return Step{kind: stepReject, n: n} }

// FailNext makes the next n admitted calls fail with err, or with an error of this
// package if err is nil: Do and Call do not run the user's function, and a
// Permit counts as a failure whatever it is finished with. The functions of the Config
// that judge errors are not asked.
func FailNext(n int, err error) Step {
	if err == nil {
		err = errScripted
	}
	return Step{kind: stepFail, n: n, err: err}
}

func (s Step) validate() error {
	switch {
	case s.kind == stepNone:
		return errors.New("breaker: Step: the zero Step does nothing")
	case s.kind == stepOpen && s.at < 0:
		return fmt.Errorf("breaker: OpenAt: %v is negative", s.at)
	case s.kind != stepOpen && s.timed:
		return fmt.Errorf("breaker: Step.For: %v is set on a step that has no length", s.length)
	case s.timed && s.length <= 0:
		return fmt.Errorf("breaker: Step.For: %v is not positive", s.length)
	case s.kind == stepReject && s.n <= 0:
		return fmt.Errorf("breaker: RejectNext: %d is not positive", s.n)
	case s.kind == stepFail && s.n <= 0:
		return fmt.Errorf("breaker: FailNext: %d is not positive", s.n)
	}
	return nil
}

// A script holds the steps that have not happened yet.
type script struct {
	opens   []Step // by instant; at counts from the instant the breaker was made
	rejects int
	fails   []Step
}

func (s *script) empty() bool { return len(s.opens) == 0 && s.rejects == 0 && len(s.fails) == 0 }

// waiting counts the openings and the calls that have not happened.
func (s *script) waiting() int {
	n := s.rejects
	for _, step := range s.fails {
		n += min(step.n, math.MaxInt-n)
	}
	return n + min(len(s.opens), math.MaxInt-n)
}

// add takes the steps, whose offsets count from now, or none of them.
func (s *script) add(now time.Duration, steps []Step) error {
	for i, step := range steps {
		if err := step.validate(); err != nil {
			return fmt.Errorf("%w (step %d)", err, i)
		}
	}
	if n := len(s.opens) + len(s.fails) + len(steps); n > maxSteps {
		return fmt.Errorf("breaker: Script: %d steps would wait, the limit is %d", n, maxSteps)
	}
	for _, step := range steps {
		switch step.kind {
		case stepOpen:
			step.at = saturatingAdd(now, step.at)
			s.opens = append(s.opens, step)
		case stepReject:
			s.rejects += min(step.n, math.MaxInt-s.rejects)
		case stepFail:
			s.fails = append(s.fails, step)
		}
	}
	slices.SortStableFunc(s.opens, func(a, b Step) int { return cmp.Compare(a.at, b.at) })
	return nil
}

// nextOpen returns the instant of the next opening.
func (s *script) nextOpen() time.Duration {
	if len(s.opens) == 0 {
		return never
	}
	return s.opens[0].at
}

func (s *script) takeOpen() Step {
	step := s.opens[0]
	s.opens = s.opens[1:]
	return step
}

func (s *script) takeReject() bool {
	if s.rejects == 0 {
		return false
	}
	s.rejects--
	return true
}

// takeFail returns the error with which the next admitted call fails, or nil.
func (s *script) takeFail() error {
	if len(s.fails) == 0 {
		return nil
	}
	step := &s.fails[0]
	err := step.err
	if step.n--; step.n == 0 {
		s.fails = s.fails[1:]
	}
	return err
}
