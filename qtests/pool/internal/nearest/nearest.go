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

// whole is what a word more, or a word less, weighs.
const whole = 8

// maxWords bounds the work that one comparison causes.
const maxWords = 200

// Distance is the Levenshtein distance in words. A word more or less weighs 8. A replaced
// word weighs as much as the two words differ after their common beginning, at most 8.
func Distance(a, b []string) int {
	a, b = a[:min(len(a), maxWords)], b[:min(len(b), maxWords)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j * whole
	}
	for _, x := range a {
		advance(row, x, b)
	}
	return row[len(b)]
}

// advance changes row, the distances of some words from each beginning of b, to those of these words and x.
func advance(row []int, x string, b []string) {
	diagonal := row[0]
	row[0] += whole
	for j, y := range b {
		replaced := diagonal + unlike(x, y)
		diagonal = row[j+1]
		row[j+1] = min(replaced, row[j]+whole, diagonal+whole)
	}
}

// unlike is what it weighs to replace x by y.
func unlike(x, y string) int {
	switch {
	case x == y:
		return 0
	case strings.EqualFold(x, y):
		return 1
	}
	return min(whole, 1+max(len(x), len(y))-common(x, y))
}

// common is how long the common beginning of two words is, in bytes.
func common(x, y string) (n int) {
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}
