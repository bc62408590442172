package explore

import (
	"github.com/go-qtests/qtests/qtests/internal/inputs"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// Shrink makes a trial smaller while it still fails: it takes away choices, then faults, makes the
// load and the faults that are left smaller, and then takes away choices once more. first is
// given trials and returns the index of the first that fails, or -1, or -2 to end early. Shrink
// returns a trial that failed, or t.
func Shrink(t Trial, first func([]Trial) int) Trial {
	try := untilOver(first)
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

// untilOver calls first no more after it has ended the search.
func untilOver(first func([]Trial) int) func([]Trial) int {
	over := false
	return func(all []Trial) int {
		if over {
			return -2
		}
		i := first(all)
		over = i == -2
		return i
	}
}

func (t Trial) fewerChoices(try func([]Trial) int) Trial {
	if len(t.Choices) > 0 {
		t.Choices = Cut(t.Choices, func(lists [][]ordered.Choice) int { return try(t.withChoices(lists)) })
	}
	return t
}

func (t Trial) withChoices(lists [][]ordered.Choice) []Trial {
	trials := make([]Trial, len(lists))
	for i, l := range lists {
		trials[i] = Trial{Choices: append([]ordered.Choice{}, l...), As: t.As, Inputs: t.Inputs}
	}
	return trials
}

func (t Trial) fewerFaults(try func([]Trial) int) Trial {
	if len(t.Inputs.Faults) > 0 {
		left := Cut(t.Inputs.Faults, func(lists [][]inputs.Fault) int { return try(t.withFaults(lists)) })
		t.Inputs = t.Inputs.With(left)
	}
	return t
}

func (t Trial) withFaults(lists [][]inputs.Fault) []Trial {
	all := make([]*inputs.Inputs, len(lists))
	for i, l := range lists {
		all[i] = t.Inputs.With(l)
	}
	return t.withInputs(all)
}

func (t Trial) withInputs(all []*inputs.Inputs) []Trial {
	trials := make([]Trial, len(all))
	for i, in := range all {
		trials[i] = Trial{Choices: t.Choices, As: t.As, Inputs: in}
	}
	return trials
}
