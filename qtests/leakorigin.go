package qtests

import (
	"fmt"
	"regexp"
	"strings"
)

// behindLibrary says whose doing a goroutine is that the standard library has
// started for its own ends, as database/sql does for an open DB: its stack has no
// line of the user. Where GODEBUG=tracebackancestors=10 has the runtime print the
// stacks of those who started it, that is the line; otherwise it is the goroutine
// that did, as far as it is known. It is "" where the stack says enough.
func behindLibrary(g goroutine, others []goroutine, body uint64, test string) string {
	if g.waitsIn() != "" || !inStandardLibrary(g.creator(), g.startedAt()) || g.parent == 0 {
		return ""
	}
	doer := "goroutine " + fmt.Sprint(g.parent)
	what := ", on behalf of "
	if strings.HasPrefix(g.creator(), "database/sql.OpenDB") {
		what = ", for a sql.DB that was not closed; it was opened by "
	}
	if line := ancestorLine(g.stack); line != "" {
		return what + line
	}
	const hint = " (GODEBUG=tracebackancestors=10 names the line)"
	if g.parent == body {
		return what + "the body of " + test + ", or what it calls" + hint
	}
	for _, other := range others {
		if other.id == g.parent {
			return fmt.Sprintf("%s%s, which is now at %s and was started at %s%s", what, doer, other.userLine(), other.origin(), hint)
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
			if function != "" && !inStandardLibrary(function, line) && !isMachinery(function) {
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
