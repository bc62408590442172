package text

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// most is how many names are proposed. More of them are a list to search.
const most = 3

// Near returns up to three known names that a person who wrote name may have meant,
// the nearest first. A name is near if half of its letters or fewer have to change;
// one change is always allowed. Upper and lower case are the same. A known name that
// begins with name is near as well, if name has three letters or more.
func Near(name string, known []string) []string {
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

// DidYouMean is the end of an error about an unknown name: "; did you mean a or b?". It
// is empty if no known name is near.
func DidYouMean(name string, known []string) string {
	names := Near(name, known)
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, " or ") + "?"
}

// Unknown is the error about an unknown name. It proposes the known names that are
// near, or else lists all of them. what says what the name was to name: "step".
func Unknown(what, name string, known []string) error {
	near := Near(name, known)
	for i, n := range near {
		near[i] = strconv.Quote(n)
	}
	switch {
	case len(known) == 0:
		return fmt.Errorf("unknown %s %q; there is none", what, name)
	case len(near) == 0:
		return fmt.Errorf("unknown %s %q; known: %s", what, name, strings.Join(known, ", "))
	}
	return fmt.Errorf("unknown %s %q; did you mean %s?", what, name, strings.Join(near, " or "))
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
