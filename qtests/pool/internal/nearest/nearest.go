// Package nearest finds what a user may have meant: the registered queries and routes
// that are most similar to one that nothing answers.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// Of returns up to n of the items, the one with the smallest distance first. Items at
// the same distance stay in their order.
func Of[T any](items []T, n int, distance func(T) int) []T {
	type scored struct {
		item     T
		distance int
	}
	var all []scored
	for _, item := range items {
		all = append(all, scored{item, distance(item)})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(a.distance, b.distance) })
	var out []T
	for _, s := range all[:max(0, min(n, len(all)))] {
		out = append(out, s.item)
	}
	return out
}

// maxWords bounds the work that one comparison causes.
const maxWords = 200

// Distance is the Levenshtein distance in words, a replaced word weighing as
// much as the two differ beyond their common beginning, at most 8.
func Distance(a, b []string) int {
	a, b = a[:min(len(a), maxWords)], b[:min(len(b), maxWords)]
	const whole = 8
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j * whole
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = (i + 1) * whole
		for j, y := range b {
			replaced := diagonal + unlike(x, y, whole)
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+whole, diagonal+whole)
		}
	}
	return row[len(b)]
}

func unlike(x, y string, most int) int {
	if strings.EqualFold(x, y) {
		if x == y {
			return 0
		}
		return 1
	}
	common := 0
	for common < len(x) && common < len(y) && x[common] == y[common] {
		common++
	}
	return min(most, 1+max(len(x), len(y))-common)
}
