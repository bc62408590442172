package qtests

import (
	"testing"

	"github.com/go-qtests/qtests/qtests/tb"
)

// inParallel reports whether a parallel test is running: this one, or one beside
// it. The testing package tells nobody; but AllocsPerRun refuses to measure then,
// before it does anything else.
func inParallel() (yes bool) {
	defer func() { yes = recover() != nil }()
	testing.AllocsPerRun(1, func() {})
	return false
}

// alone fails t if what the assertion measures could be a neighbour's.
func alone(t tb.TB, assertion, what string) {
	t.Helper()
	if inParallel() {
		tb.Fatalf(t, "qtests: %s while a parallel test runs (%s, or one beside it): %s of the whole process, and a neighbour's cannot be told from this test's. Take t.Parallel out of this test and of the tests around it; without it, no parallel test runs beside this one",
			assertion, t.Name(), what)
	}
}
