package fleet

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/tb"
)

// fail shows the table and the picture behind what is wrong.
func (f *Fleet) fail(t tb.TB, format string, args ...any) {
	t.Helper()
	tb.Fatalf(t, "fleet %s: %s\n%v%s", f.cfg.Name, fmt.Sprintf(format, args...), f.Stats(), f.Picture())
}

// RequireNothingLost fails t if a request was refused, or failed, or is still under way, and if there was none.
func (f *Fleet) RequireNothingLost(t tb.TB) {
	t.Helper()
	switch c := f.Stats().Requests; {
	case c.Offered == 0:
		f.fail(t, "no request was offered")
	case c.Answered != c.Offered:
		f.fail(t, "%d of %d requests were not answered", c.Offered-c.Answered, c.Offered)
	}
}

// RequireGoodput fails t unless at least this share of the requests was answered: from 0 to 1. It fails if there was none.
func (f *Fleet) RequireGoodput(t tb.TB, share float64) {
	t.Helper()
	c := f.Stats().Requests
	if c.Offered == c.InFlight || c.Goodput() < share {
		f.fail(t, "the goodput is %.4g of %d requests, want at least %.4g", c.Goodput(), c.Offered-c.InFlight, share)
	}
}

// RequireDeployed fails t unless the last deployment is complete and of this version.
func (f *Fleet) RequireDeployed(t tb.TB, version string) {
	t.Helper()
	f.requireDeployment(t, version, rollout.Complete)
}

// RequireRolledBack fails t unless the last deployment is of this version and was rolled back.
func (f *Fleet) RequireRolledBack(t tb.TB, version string) {
	t.Helper()
	f.requireDeployment(t, version, rollout.RolledBack)
}

func (f *Fleet) requireDeployment(t tb.TB, version string, want rollout.Phase) {
	t.Helper()
	all := f.Deployments()
	if len(all) == 0 {
		f.fail(t, "nothing was deployed, want %s %v", version, want)
		return
	}
	if last := all[len(all)-1]; last.Version != version || last.Phase != want {
		f.fail(t, "the last deployment is %v; want %s %v", last, version, want)
	}
}

// RequireFlaps fails t if the number of replicas turned back on itself more than most times: see scale.Record.
func (f *Fleet) RequireFlaps(t tb.TB, most int) {
	t.Helper()
	if sum, changes := f.ScalingSummary(); sum.Flaps > most {
		last := changes[max(0, len(changes)-10):]
		f.fail(t, "the replicas flapped %d times, want at most %d: %v; the last changes: %v", sum.Flaps, most, sum, last)
	}
}
