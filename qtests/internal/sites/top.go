package sites

import (
	"cmp"
	"slices"
	"strings"
)

// topPlaces is how many places a failure of a bound names.
const topPlaces = 5

// A place is where goroutines were started or memory was allocated.
type place struct {
	Name   string // for people: function and line
	Amount int64
}

// TopOf returns the largest places in order, at most topPlaces, and how many
// there are besides. Equal ones are ordered by name, so that a message is the
// same twice.
func TopOf(amounts map[string]int64) (top []place, others int) {
	all := make([]place, 0, len(amounts))
	for name, amount := range amounts {
		if amount > 0 {
			all = append(all, place{name, amount})
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), strings.Compare(a.Name, b.Name))
	})
	n := min(len(all), topPlaces)
	return all[:n], len(all) - n
}
