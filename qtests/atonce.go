package qtests

import (
	"fmt"
	"os"
	"strings"
)

// printAtOnce prints to standard error what go test would show only when the test
// has ended: without -v a fatal error of the runtime would hide it.
func printAtOnce(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s\n", strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// endsProcess follows a report of goroutines that a bubble has left.
const endsProcess = "\nIf the process ends now with a fatal error about a synctest channel or timer, that is why: something outside, " +
	"such as the Close of an httptest.Server, a finalizer or the timeout of a context, touched what the bubble left. " +
	"Make and close it inside (q.Serve is a server in memory), or outside only what the bubble does not use."
