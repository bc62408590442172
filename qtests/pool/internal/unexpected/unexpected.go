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
	if c := l.find(what); c != nil {
		c.times++
		return false
	}
	if len(l.calls) >= maxKept {
		return false
	}
	l.calls = append(l.calls, call{what, why, line, 1})
	return true
}

func (l *List) find(what string) *call {
	for i := range l.calls {
		if l.calls[i].what == what {
			return &l.calls[i]
		}
	}
	return nil
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
	for _, c := range l.calls {
		b.WriteString("\n\t" + c.String())
	}
	if n := l.others(); n > 0 {
		fmt.Fprintf(&b, "\n\tand %s more", text.Grouped(n))
	}
	return b.String()
}

// others is how many calls are not kept one by one.
func (l *List) others() int64 {
	n := l.total
	for _, c := range l.calls {
		n -= c.times
	}
	return n
}

// String is the call as a report says it.
func (c call) String() string {
	s := c.what
	if c.line != "" {
		s = c.line + ": " + s
	}
	if c.times > 1 {
		s += fmt.Sprintf(" (%s)", text.Times(c.times))
	}
	if c.why != "" {
		s += ": " + c.why
	}
	return s
}
