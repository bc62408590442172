// Package stress says by how much long tests multiply their size.
package stress

import (
	"os"
	"strconv"
	"testing"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// Factor returns QTESTS_STRESS, a whole number of at least 1, and 1 where it is not set.
// Anything else fails t.
func Factor(t testing.TB) int {
	t.Helper()
	text := os.Getenv("QTESTS_STRESS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("QTESTS_STRESS=%s: want a whole number of at least 1", text)
	}
	return n
}

// Rounds returns how often a test repeats what it repeats n times by default: n times [Factor], and a quarter of that under
// the race detector, with which a round takes ten times as long and which sees in few rounds what it can see.
func Rounds(t testing.TB, n int) int {
	t.Helper()
	n *= Factor(t)
	if ordered.Race {
		n = max(n/4, 1)
	}
	return n
}

// Figures skips a test under the race detector that judges figures alone, such as the queue lengths of a theory. It takes ten
// times as long there, and its requests run on paths that other tests have under the race detector.
func Figures(t testing.TB) {
	t.Helper()
	if ordered.Race {
		t.Skip("it judges figures, which the race detector does not change")
	}
}
