// Package stress says by how much long tests multiply their size.
package stress

import (
	"os"
	"strconv"
	"testing"
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
