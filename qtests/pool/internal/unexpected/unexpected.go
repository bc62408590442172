// Package unexpected keeps the calls that a fake did not expect, and says at the end of
// a test which they were. The code under test may have swallowed their errors.
package unexpected

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// maxKept is how many different calls are kept one by one.
const maxKept = 10

// A List has the unexpected calls of one fake: a plain structure, which the lock of the
// fake guards.
type List struct {
	calls []call
	total int64
}

// A call is the same call, made any number of times.
type call struct {
	what  string // for example "GET /charge"
	why   string // the reason of the first one
	line  string // of the user's code that made the first one, or ""
	times int64
}

// Add adds a call and reports whether it is the first one of its kind that is kept.
func (l *List) Add(what, why, line string) (first bool) {
	l.total++
	for i := range l.calls {
		if l.calls[i].what == what {
			l.calls[i].times++
			return false
		}
	}
	if len(l.calls) >= maxKept {
		return false
	}
	l.calls = append(l.calls, call{what, why, line, 1})
	return true
}

// Total returns how many calls there were.
func (l *List) Total() uint64 { return uint64(l.total) }

// Report returns what to fail the test with, or "" if every call was expected.
func (l *List) Report(fake string) string {
	if l.total == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s. Each fails the test, even if the code under test handled its error, unless Config.AllowUnexpected is set:",
		fake, text.Plural(l.total, "unexpected call"))
	var kept int64
	for _, c := range l.calls {
		kept += c.times
		b.WriteString("\n\t")
		if c.line != "" {
			b.WriteString(c.line + ": ")
		}
		b.WriteString(c.what)
		if c.times > 1 {
			fmt.Fprintf(&b, " (%s)", text.Times(c.times))
		}
		if c.why != "" {
			b.WriteString(": " + c.why)
		}
	}
	if more := l.total - kept; more > 0 {
		fmt.Fprintf(&b, "\n\tand %s more", text.Grouped(more))
	}
	return b.String()
}
