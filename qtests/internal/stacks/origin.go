package stacks

import (
	"fmt"
	"regexp"
	"strings"
)

// BehindLibrary says whose doing a goroutine is that the standard library has
// started for its own ends, as database/sql does for an open DB: its stack has no
// line of the user. Where GODEBUG=tracebackancestors=10 has the runtime print the
// stacks of those who started it, that is the line; otherwise it is the goroutine
// that did, as far as it is known. It is "" where the stack says enough.
func BehindLibrary(g Goroutine, others []Goroutine, body uint64, test string) string {
	if g.WaitsIn() != "" || !InStandardLibrary(g.Creator(), g.StartedAt()) || g.Parent == 0 {
		return ""
	}
	doer := "goroutine " + fmt.Sprint(g.Parent)
	what := ", on behalf of "
	if strings.HasPrefix(g.Creator(), "database/sql.OpenDB") {
		what = ", for a sql.DB that was not closed; it was opened by "
	}
	if line := ancestorLine(g.Stack); line != "" {
		return what + line
	}
	const hint = " (GODEBUG=tracebackancestors=10 names the line)"
	if g.Parent == body {
		return what + "the body of " + test + ", or what it calls" + hint
	}
	for _, other := range others {
		if other.ID == g.Parent {
			return fmt.Sprintf("%s%s, which is now at %s and was started at %s%s", what, doer, other.UserLine(), other.Origin(), hint)
		}
	}
	return what + doer + ", which has ended" + hint
}

// ancestorHeader begins the stack of one who started a goroutine, or one who
// started that one.
var ancestorHeader = regexp.MustCompile(`(?m)^\[originating from goroutine \d+\]:\n`)

// ancestorLine returns the innermost line outside of the standard library, and its
// function, of those who started a goroutine with that stack, or "".
func ancestorLine(stack string) string {
	begin := ancestorHeader.FindStringIndex(stack)
	if begin == nil {
		return ""
	}
	var function string
	for line := range strings.SplitSeq(stack[begin[1]:], "\n") {
		switch {
		case strings.HasPrefix(line, "\t"):
			if function != "" && !InStandardLibrary(function, line) && !isMachinery(function) {
				return trimPosition(line) + "  " + strings.TrimSuffix(function, "(...)")
			}
		case strings.HasPrefix(line, "[") || strings.HasPrefix(line, "created by "):
			function = ""
		default:
			function = line
		}
	}
	return ""
}
