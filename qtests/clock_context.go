package qtests

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"
)

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
