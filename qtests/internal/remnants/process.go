package remnants

import (
	"fmt"
	"os"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

var process = New(warnKept)

// Next prepares the process for a bubble, and returns what it is to leave and end, or nil
// where that is known. On the ordered runtime there is nothing to prepare: a sync.Pool keeps
// what it is given for the bubble that gave it.
func Next(of Kind) *Remnant {
	if ordered.Available() {
		return nil
	}
	return process.Next(of)
}

// Ran says how long a bubble of the process has run.
func Ran(of Kind, d time.Duration) { process.Ran(of, d) }

// warnKept says what may end the process later. It does so at once: go test shows the log of a
// test only when the test has ended, which a fatal error of the runtime prevents.
func warnKept(test string) {
	fmt.Fprintf(os.Stderr, "qtests: something made in the bubble of %s is still there after it, in a variable that outlives the test: "+
		"a channel, a timer or a context made once, on first use (sync.Once, an init function, a cache). "+
		"Whatever uses it outside that bubble ends the process (\"… synctest channel from outside bubble\"). "+
		"Make it outside, before the first bubble: in TestMain, or before qtests.Run.\n", test)
}
