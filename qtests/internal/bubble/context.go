package bubble

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
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

// CheckContext fails the test of clk, if it is that of a bubble, for a context that
// was made outside.
func CheckContext(clk clock.Clock, ctx context.Context) {
	c, ok := clk.(Clock)
	if !ok || c.Watched().Complain == nil {
		return
	}
	if problem := outsideContext(ctx, c.Last()); problem != "" {
		c.Watched().Complain(fmt.Sprintf("%v: %s", stacks.UserCaller(), problem))
	}
}
