// Package kernels holds small programs with one bug each, of the kinds that the literature on
// concurrency in Go describes, each beside a twin without it: what a search must find, and
// what it must not take for a bug. The kinds are those of Tu and others, "Understanding
// Real-World Concurrency Bugs in Go", ASPLOS 2019, of Yuan and others, "GoBench", CGO 2021,
// and of the documentation of package sync.
package kernels

import (
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests"
)

// A Kernel is a program with a bug, and its twin.
type Kernel struct {
	Name  string
	Bug   func(q *qtests.T)
	Fixed func(q *qtests.T)
	Race  bool // the bug is a data race that only -race sees
}

// want fails the test when the two differ.
func want[V comparable](q *qtests.T, what string, got, want V) {
	if got != want {
		q.Errorf("%s is %v, and should be %v", what, got, want)
	}
}

var errBad = errors.New("bad")

func name(i int) string { return fmt.Sprintf("user-%d", i) }
