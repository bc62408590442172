package fleet

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/go-qtests/qtests/qtests/fleet/rollout"
)

// A Deployment is a release on its way. Its fields are a copy, as of the call that returned it.
type Deployment struct {
	Version string
	Began   time.Time
	Ended   time.Time // zero: not yet
	Phase   rollout.Phase
	Reason  string

	release  *Release
	rollout  rollout.Rollout
	share    float64
	old, new group
}

// group is what became of the requests of one side since the deployment began.
type group struct {
	counts  Counts
	latency *hdrhistogram.Histogram // µs, up to an hour
}

func newGroup() group { return group{latency: hdrhistogram.New(1, time.Hour.Microseconds(), 2)} }

func (g *group) served(o outcome, latency time.Duration) {
	g.counts.Offered++
	if o != answered {
		g.counts.Failed++
	}
	_ = g.latency.RecordValue(min(max(1, latency.Microseconds()), time.Hour.Microseconds()))
}

func (d Deployment) String() string { return fmt.Sprintf("%s: %v: %s", d.Version, d.Phase, d.Reason) }

// finish ends it.
func (d *Deployment) finish(now time.Time, p rollout.Phase, why string) {
	d.Phase, d.Reason, d.Ended, d.share = p, why, now, -1
	d.old, d.new = group{}, group{} // their histograms are not needed any more
}

// deployments are those of a fleet, in order.
type deployments []*Deployment

// current is the deployment under way, or nil.
func (all deployments) current() *Deployment {
	if n := len(all); n > 0 && !all[n-1].Phase.Final() {
		return all[n-1]
	}
	return nil
}
