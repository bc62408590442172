package load

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// Disturbances says how Recovers disturbs a scenario.
type Disturbances struct {
	// Sizes are the sizes of the disturbance to try, in rising order: seconds of
	// an outage, a factor of load. At least one.
	Sizes []float64
	// Share is the goodput, as a share of that before the disturbance, from which the
	// system counts as recovered. Default 0.95.
	Share float64
	// Hold is how long the goodput has to stay there. Default 10 intervals of
	// the timeline.
	Hold time.Duration
}

// A Recovery is how one size of a disturbance came out.
type Recovery struct {
	Size      float64
	Recovered bool
	// After is the time from the end of the disturbance until goodput came
	// back for good; meaningful when Recovered.
	After time.Duration
	// Before and Final are the goodput per second before the disturbance and over
	// the last tenth of the run.
	Before, Final float64
	Result        *Result
}

// Recoveries are what Recovers found, in the order of the sizes.
type Recoveries []Recovery

// Recovers runs a scenario once for every size of a disturbance and says
// whether goodput (requests without an error) returns after it ends. A system that stays down although the
// cause is gone is metastable: its own reaction, retries or a full queue,
// keeps it there.
//
// at builds the system and the scenario anew for a size, and returns with it the
// event that disturbs, which Recovers adds to the scenario. The event has an end, before which some of the
// run must lie and after which enough to judge.
func Recovers(t qtests.TB, d Disturbances, at func(size float64) (Scenario, qtests.Event)) Recoveries {
	t.Helper()
	if d.Share == 0 {
		d.Share = 0.95
	}
	if len(d.Sizes) == 0 || !(d.Share > 0 && d.Share <= 1) || d.Hold < 0 {
		qtests.Fatalf(t, "load: Disturbances: Sizes %v, Share %v, Hold %v: want sizes, a share in (0, 1] and no negative time", d.Sizes, d.Share, d.Hold)
	}
	var out Recoveries
	for _, size := range d.Sizes {
		scenario, event := at(size)
		if event.Offset <= 0 || event.Duration <= 0 || event.Offset+event.Duration >= scenario.Profile.Duration() {
			qtests.Fatalf(t, "load: Recovers: event %q from %v for %v: wants time before and after it within %v",
				event.Name, event.Offset, event.Duration, scenario.Profile.Duration())
		}
		scenario.Events = append(append([]qtests.Event(nil), scenario.Events...), event)
		r, err := prepare(t, scenario)
		if err != nil {
			qtests.Fatalf(t, "%v", err)
		}
		res, err := r.execute()
		if err != nil {
			qtests.Fatalf(t, "%v", err)
		}
		out = append(out, d.judge(size, res, event))
	}
	t.Logf("%s", out)
	return out
}

// judge finds the first interval after the disturbance from which goodput, as a
// share of the arrivals, is back for Hold, and stays back on the whole.
func (d Disturbances) judge(size float64, res *Result, event qtests.Event) Recovery {
	hold := max(int(d.Hold/res.Interval), 1)
	if d.Hold == 0 {
		hold = 10
	}
	end := event.Offset + event.Duration
	before := goodputOf(res.Timeline, res.Interval, 0, event.Offset)
	r := Recovery{
		Size: size, Before: before, Result: res,
		Final: goodputOf(res.Timeline, res.Interval, res.Duration-res.Duration/10, res.Duration),
	}
	first := int((end + res.Interval - 1) / res.Interval)
	last := min(int(res.Duration/res.Interval), len(res.Timeline))
	for i := first; i+hold <= last; i++ {
		from := time.Duration(i) * res.Interval
		if goodputOf(res.Timeline, res.Interval, from, from+time.Duration(hold)*res.Interval) >= d.Share*before {
			r.Recovered, r.After = r.Final >= d.Share*before, max(from-end, 0)
			break
		}
	}
	return r
}

// goodputOf is the requests without an error that ended in [from, to), per second.
func goodputOf(points []Point, width, from, to time.Duration) float64 {
	var good int64
	var length time.Duration
	for _, p := range points {
		if p.Offset >= from && p.Offset+width <= to {
			good += p.Finished - p.Errors
			length += width
		}
	}
	return perSecond(good, length)
}

// Limit returns the largest size from which the system recovered, and the
// first from which it did not; the latter is zero when it always did.
func (rs Recoveries) Limit() (recovered, not float64) {
	for _, r := range rs {
		if !r.Recovered {
			return recovered, r.Size
		}
		recovered = r.Size
	}
	return recovered, 0
}

// String is a table of the sizes.
func (rs Recoveries) String() string {
	var b strings.Builder
	rows := [][]string{{"disturbance", "", "after", "goodput before", "at the end"}}
	for _, r := range rs {
		verdict, after := "recovered", short(r.After)
		if !r.Recovered {
			verdict, after = "stays down", "-"
		}
		rows = append(rows, []string{fmt.Sprintf("%.6g", r.Size), verdict, after, significant(r.Before) + "/s", significant(r.Final) + "/s"})
	}
	table(&b, rows)
	return b.String()
}
