package qtests

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/benbjohnson/clock"
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

// outsideContext returns what is wrong with a context whose deadline is one of
// real time, or nothing. The deadline of a context made outside lies in the days
// after the start of the process, decades after the bubble's time.
func outsideContext(ctx context.Context, now time.Time) string {
	deadline, ok := ctx.Deadline()
	started := epoch.Round(0)
	if !ok || deadline.Before(started) || deadline.After(started.AddDate(0, 0, 30)) || now.After(started.AddDate(-1, 0, 0)) {
		return ""
	}
	return fmt.Sprintf("qtests: a context with the deadline %s, which is one of real time, is used inside the bubble, at %v. "+
		"When it ends, outside, it touches channels of the bubble, which ends the process. "+
		"Derive it inside, from q.Context(), with the clock's WithTimeout or context.WithTimeout",
		deadline.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// checkContext fails the test of clk, if it is that of a bubble, for a context that
// was made outside.
func checkContext(clk clock.Clock, ctx context.Context) {
	c, ok := clk.(bubbleClock)
	if !ok || c.watched().complain == nil {
		return
	}
	if problem := outsideContext(ctx, c.last()); problem != "" {
		c.watched().complain(fmt.Sprintf("%v: %s", userCaller(), problem))
	}
}
