package explore

import (
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// Shrink makes a trial smaller while it still fails: first the choices go, then the faults, then
// the load and what is left of the faults get smaller, and then the choices once more. first is
// given trials and returns the index of the first that fails, or -1, or -2 to end early. Shrink
// returns a trial that failed, or t.
func Shrink(t Trial, first func([]Trial) int) Trial {
	over := false
	try := func(all []Trial) int {
		if over {
			return -2
		}
		i := first(all)
		over = i == -2
		return i
	}
	t = t.fewerChoices(try)
	if t.Inputs.Empty() {
		return t
	}
	before := t.Inputs
	t = t.fewerFaults(try)
	t.Inputs = inputs.Smaller(t.Inputs, func(all []*inputs.Inputs) int {
		return try(t.withInputs(all))
	})
	if len(t.Choices) > 0 && !t.Inputs.Same(before) {
		t = t.fewerChoices(try)
	}
	return t
}

func (t Trial) fewerChoices(try func([]Trial) int) Trial {
	if len(t.Choices) == 0 {
		return t
	}
	t.Choices = Cut(t.Choices, func(lists [][]ordered.Choice) int {
		all := make([]Trial, len(lists))
		for i, l := range lists {
			all[i] = Trial{Choices: append([]ordered.Choice{}, l...), As: t.As, Inputs: t.Inputs}
		}
		return try(all)
	})
	return t
}

func (t Trial) fewerFaults(try func([]Trial) int) Trial {
	if len(t.Inputs.Faults) == 0 {
		return t
	}
	left := Cut(t.Inputs.Faults, func(lists [][]inputs.Fault) int {
		all := make([]*inputs.Inputs, len(lists))
		for i, l := range lists {
			all[i] = t.Inputs.With(l)
		}
		return try(t.withInputs(all))
	})
	t.Inputs = t.Inputs.With(left)
	return t
}

func (t Trial) withInputs(all []*inputs.Inputs) []Trial {
	trials := make([]Trial, len(all))
	for i, in := range all {
		trials[i] = Trial{Choices: t.Choices, As: t.As, Inputs: in}
	}
	return trials
}
