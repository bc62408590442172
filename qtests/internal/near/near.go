// Package near proposes the names that a person who wrote an unknown one may have
// meant, so that every error of qtests proposes by the same measure.
package near

import (
	"cmp"
	"slices"
	"strings"
)

// most is how many names are proposed: more are a list to search.
const most = 3

// Names returns up to three known names within half of name's length, and at least
// one edit, nearest first. Case does not count, and of a name of three letters or
// more the beginning is enough.
func Names(name string, known []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, k := range known {
		d := distance(strings.ToLower(name), strings.ToLower(k))
		if d <= max(1, min(len(name), len(k))/2) || len(name) > 2 && strings.HasPrefix(k, name) {
			found = append(found, candidate{k, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var names []string
	for _, f := range found[:min(most, len(found))] {
		names = append(names, f.name)
	}
	return names
}

// Question is what an error may end with, "; did you mean a or b?", or "" where no name
// is near.
func Question(name string, known []string) string {
	names := Names(name, known)
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}

// distance is the number of edits between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
