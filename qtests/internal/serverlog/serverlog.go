// Package serverlog hands what an http.Server logs to the log of a test, a few lines of each
// kind.
package serverlog

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/internal/userline"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A server under load may say one thing some thousand times: a panic of its
// handler, with the stack, or "superfluous response.WriteHeader". A log takes a
// few lines of each kind and counts the others. When there are too many kinds, all
// further ones count as one.
const (
	linesLogged = 3
	kindsLogged = 50
)

// A Log hands what a server logs to the log of a test, and says at the end
// how much it left out. A panic of the handler fails the test, unless the bubble allows it.
type Log struct {
	t       tb.TB
	allowed func() bool // panics
	mu      struct {
		sync.Mutex
		kinds  map[string]int // how many there were, by kind
		order  []string       // in which they came first
		failed bool           // the test, for a panic
	}
}

// New returns the log of a server of the bubble that the caller is in. excused may be nil; a panic does
// not fail the test if excused returns true.
func New(t tb.TB, excused func() bool) *Log {
	here := tenancy.Here()
	l := &Log{t: t, allowed: func() bool {
		return here != nil && here.PanicsAllowed.Load() || excused != nil && excused()
	}}
	l.mu.kinds = map[string]int{}
	t.Cleanup(l.summarize)
	return l
}

func (l *Log) summarize() {
	for _, line := range l.summary() {
		l.t.Logf("%s", line)
	}
}

// summary has a line for each kind that was not logged in full.
func (l *Log) summary() (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kind := range l.mu.order {
		if n := l.mu.kinds[kind]; n > linesLogged {
			lines = append(lines, describeKind(kind, n))
		}
	}
	return lines
}

func describeKind(kind string, n int) string {
	what := fmt.Sprintf("%d lines like %q", n, kind)
	switch kind {
	case servingPanicked:
		what = fmt.Sprintf("%d panics of the handler", n)
	case otherKinds:
		what = fmt.Sprintf("%d lines of further kinds", n)
	}
	return fmt.Sprintf("http: %s; %d of them are not logged", what, n-linesLogged)
}

// servingPanicked begins what net/http logs of a panic, and is its kind.
const servingPanicked = "http: panic serving "

// otherKinds is the kind of what comes behind kindsLogged others.
const otherKinds = ""

// variable is what differs between two lines of one kind: numbers, addresses and
// what is quoted.
var variable = regexp.MustCompile(`"[^"]*"|0x[0-9a-f]+|[0-9]+`)

// kindOf returns what is the same in all lines of a kind.
func kindOf(text string) string {
	if strings.HasPrefix(text, servingPanicked) {
		return servingPanicked
	}
	text, _, _ = strings.Cut(text, "\n")
	return variable.ReplaceAllString(text, "…")
}

// counts reports whether another line of that kind is to be logged.
func (l *Log) counts(kind string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.mu.kinds[kind]; !known {
		if len(l.mu.order) >= kindsLogged {
			kind = otherKinds
		}
		if _, known := l.mu.kinds[kind]; !known {
			l.mu.order = append(l.mu.order, kind)
		}
	}
	l.mu.kinds[kind]++
	return l.mu.kinds[kind] <= linesLogged
}

// Write takes what an http.Server logs.
func (l *Log) Write(text []byte) (int, error) {
	kind := kindOf(string(text))
	if l.counts(kind) {
		userline.Logf(l.t, "%s", bytes.TrimRight(text, "\n"))
	}
	if kind == servingPanicked {
		said, _, _ := strings.Cut(string(text), "\n")
		_, value, _ := strings.Cut(strings.TrimPrefix(said, servingPanicked), ": ")
		l.fail(value)
	}
	return len(text), nil
}

// fail fails the test for the first panic. The goroutine is the one that panicked: its stack has the
// user's line.
func (l *Log) fail(value any) {
	l.t.Helper()
	if l.allowed() {
		return
	}
	if l.firstPanic() {
		userline.Errorf(l.t, "qtests: the handler panicked at %s: %v; where that is meant, call qtests.AllowPanics",
			cmp.Or(userline.Of(userline.Stack()), "an unknown line"), value)
	}
}

// firstPanic is true once.
func (l *Log) firstPanic() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := !l.mu.failed
	l.mu.failed = true
	return first
}

// Panicked logs a panic as an http.Server does.
func (l *Log) Panicked(client string, value any) {
	if l.counts(servingPanicked) {
		userline.Logf(l.t, "%s%s: %v\n%s", servingPanicked, client, value, debug.Stack())
	}
	l.fail(value)
}
