package stacks

import (
	"fmt"
	"regexp"
	"strings"
)

// wholeStacks is how many kinds of goroutines a failure message prints with their
// stacks. Of those beyond it says a line each.
const wholeStacks = 20

// DescribeAlike prints goroutines, those of one kind once and with their number:
// a crowd of one kind must not hide the only one of another. say returns what
// stands behind the state of a goroutine.
func DescribeAlike(list []Goroutine, say func(g Goroutine) string) string {
	var b strings.Builder
	for i, group := range alike(list) {
		g := group[0]
		fmt.Fprintf(&b, "\ngoroutine %d [%s]%s\n", g.ID, g.State, say(g))
		if i < wholeStacks {
			fmt.Fprintf(&b, "%s\n", g.Stack)
		}
		if n := len(group) - 1; n > 0 {
			fmt.Fprintf(&b, "… and %d more like it\n", n)
		}
	}
	return strings.Trim(b.String(), "\n")
}

// Format prints goroutines of which nothing is to be said.
func Format(list []Goroutine) string {
	return DescribeAlike(list, func(Goroutine) string { return ":" })
}

// alike groups goroutines that stand at the same place and came there the same
// way, in the order of the first of each group.
func alike(list []Goroutine) (groups [][]Goroutine) {
	places := map[string]int{}
	for _, g := range list {
		place := g.State + "\n" + callArguments.ReplaceAllString(g.Stack, "")
		i, known := places[place]
		if !known {
			i = len(groups)
			places[place] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], g)
	}
	return groups
}

// callArguments are what the stack of one goroutine has and that of another at the same
// place has not: "(0xc000012345, …)", "in goroutine 7" and " +0x1d".
var callArguments = regexp.MustCompile(`(?m)\([^()\n]*\)$| in goroutine \d+$| \+0x[0-9a-f]+$`)

// Count is "1 goroutine" or "7 goroutines".
func Count(n int) string {
	if n == 1 {
		return "1 goroutine"
	}
	return fmt.Sprintf("%d goroutines", n)
}
