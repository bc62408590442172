package bench

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/go-qtests/qtests/qtests"
)

var errBubble = errors.New("the bubble failed, as printed above")

// inTest calls f with a *testing.T of its own, which bubbles want and benchmarks
// lack.
func inTest(f func(t *testing.T)) error {
	procs, ran := runtime.GOMAXPROCS(0), false
	all := func(string, string) (bool, error) { return true, nil }
	passed := testing.RunTests(all, []testing.InternalTest{{Name: "bubble", F: func(t *testing.T) {
		if ran {
			return // -count and the list of -cpu are for the test outside
		}
		ran = true
		runtime.GOMAXPROCS(procs)
		f(t)
	}}})
	if !passed || !ran {
		return errBubble
	}
	return nil
}

// inBubble calls f in a plain bubble.
func inBubble(f func()) error {
	return inTest(func(t *testing.T) { synctest.Test(t, func(*testing.T) { f() }) })
}

// inRun calls f under qtests.Run.
func inRun(f func(q *qtests.T)) error {
	return inTest(func(t *testing.T) { qtests.Run(t, f) })
}
