package search

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Disturbances says how Recovers disturbs a scenario.
type Disturbances struct {
	// Sizes are the sizes of the disturbance to try, finite and in rising order: for example the seconds of
	// an outage, or a factor of the load. There has to be one at least.
	Sizes []float64
	// Share is the goodput, as a share of that before the disturbance, from which the
	// system counts as recovered. Default 0.95.
	Share float64
	// Hold is how long the goodput has to stay there, and the time over which it is averaged, rounded up to
	// whole intervals of the timeline. Default 10 intervals.
	Hold time.Duration
}

// A Recovery is how one size of a disturbance came out.
type Recovery struct {
	Size      float64
	Recovered bool
	// After is the time from the end of the disturbance until goodput came back for good: it was not down
	// again until the end of the run. Its resolution is one interval of the timeline, Result.Interval. It is
	// zero if the system did not recover.
	After time.Duration
	// Before and Final are the goodput before the disturbance and over the last tenth of the run. They are a
	// share of the arrivals, or for a profile of users, who ask less while they wait, per user and second.
	Before, Final float64
	Result        *result.Result

	users bool // Before and Final are those of a profile of users
}

// Recoveries are what Recovers found, in the order of the sizes.
type Recoveries []Recovery

// Recovers runs a scenario once for every size of a disturbance and finds out whether goodput, the requests without
// an error, comes back after the disturbance ends. A system that stays down although the cause is gone is metastable:
// its own reaction, such as retries or a full queue, keeps it down.
//
// at(size) is called once for each run and must make a new system. It returns the scenario and the event that
// disturbs, which Recovers adds to the scenario. The event must begin after the start of the run, and end early
// enough that the rest of the run tells whether the system recovers.
//
// The goodput is judged as a share of the arrivals, so that a profile may rise and fall. It counts as down only if it
// is lower by more than chance: by three standard errors of the requests in the time of Hold.
//
// All runs are at scale 1, whatever -qtests.scale and -short say: with a tenth of the load the system would recover
// from more, and in a shortened run later.
//
// A system that stays down does not fail t. The test says from how much it has to recover.
//
//	rec := search.Recovers(q, search.Disturbances{Sizes: []float64{10, 60, 300}}, at)
//	if limit, _ := rec.Limit(); limit < 60 {
//		q.Errorf("it must recover from 60 s:\n%s", rec)
//	}
//
// A system that does not recover may leave goroutines behind that still have work. Under a fake clock let time pass
// for them, q.Sleep(time.Hour), so that they are done before the leak check at the end of the test.
//
// Of a run that is divided among processes, each begins with the sizes that are dealt to it, as [Capacity] does with
// trials.
//
// The table goes to the log of t. A run that cannot be judged fails t: a run without any goodput before the
// disturbance, one in which a request panicked or ignored its cancelled context, one that ended early, also by a
// threshold, and one whose load the machine could not generate, if FailWhenSlow.
func Recovers(t tb.TB, d Disturbances, at func(size float64) (load.Scenario, event.Event)) Recoveries {
	t.Helper()
	if err := d.check(); err != nil {
		tb.Fatalf(t, "%v", err)
	}
	if d.Share == 0 {
		d.Share = 0.95
	}
	book, err := openLedger(t, "recovers")
	if err != nil {
		tb.Fatalf(t, "load: Recovers: %v", err)
	}
	d.ahead(t, book, at)
	var out Recoveries
	for i, size := range d.Sizes {
		r, err := d.recovery(t, book, size, i, at)
		if err != nil {
			if len(out) > 0 {
				t.Logf("%s", out)
			}
			tb.Fatalf(t, "load: Recovers: size %.6g: %v", size, err)
		}
		out = append(out, r)
	}
	t.Logf("%s", out)
	return out
}

func (d Disturbances) check() error {
	if len(d.Sizes) == 0 {
		return fmt.Errorf("load: Disturbances.Sizes: none")
	}
	for i, size := range d.Sizes {
		if math.IsNaN(size) || math.IsInf(size, 0) || i > 0 && size <= d.Sizes[i-1] {
			return fmt.Errorf("load: Disturbances.Sizes: %v are not finite and in rising order", d.Sizes)
		}
	}
	if d.Share != 0 && !(d.Share > 0 && d.Share <= 1) {
		return fmt.Errorf("load: Disturbances.Share: %v is not over 0 and at most 1", d.Share)
	}
	if d.Hold < 0 {
		return fmt.Errorf("load: Disturbances.Hold: %v is negative", d.Hold)
	}
	return nil
}

// ahead runs this part's own sizes, which the others will ask for. An error is met again where its run is asked for.
func (d Disturbances) ahead(t tb.TB, book ledger, at func(float64) (load.Scenario, event.Event)) {
	t.Helper()
	for i, size := range d.Sizes {
		if book.own(i) {
			if _, err := d.recovery(t, book, size, i, at); err != nil {
				return
			}
		}
	}
}

// told is a Recovery as the parts of a search tell each other.
type told struct {
	Recovery
	Users bool
}

// recovery returns the recovery of a size: as another part has told, or else run here.
func (d Disturbances) recovery(t tb.TB, book ledger, size float64, i int, at func(float64) (load.Scenario, event.Event)) (Recovery, error) {
	t.Helper()
	var known told
	if book.read(size, i, &known) {
		known.users = known.Users
		return known.Recovery, nil
	}
	r, err := d.try(t, size, at)
	if err == nil {
		err = book.write(size, i, told{r, r.users})
	}
	return r, err
}

// try runs one size.
func (d Disturbances) try(t tb.TB, size float64, at func(float64) (load.Scenario, event.Event)) (Recovery, error) {
	t.Helper()
	scenario, disturbance := at(size)
	if err := scenario.Traffic.Err(); err != nil {
		return Recovery{}, err
	}
	if err := placed(disturbance, scenario.Traffic.Duration()); err != nil {
		return Recovery{}, err
	}
	scenario.Events = append(append([]event.Event(nil), scenario.Events...), disturbance)
	res, err := load.Try(t, scenario)
	if err != nil {
		return Recovery{}, err
	}
	if res.Warning != "" {
		t.Logf("real: %s", res.Warning)
	}
	if err := unfit(res); err != nil {
		return Recovery{}, err
	}
	return d.judge(size, res, disturbance, scenario.Traffic)
}

// unfit returns an error if a run cannot be judged.
func unfit(res *result.Result) error {
	switch {
	case res.Halted != "":
		return fmt.Errorf("the run ended early, at %v: %s", text.Short(res.Elapsed), res.Halted)
	case res.Panics > 0:
		return fmt.Errorf("code of the scenario panicked %s, the first time:\n%s", text.Times(res.Panics), res.FirstPanic)
	case res.Abandoned > 0:
		return fmt.Errorf("%d requests ignored that their context was cancelled", res.Abandoned)
	case res.Slow:
		return fmt.Errorf("%s", res.Warning)
	}
	return nil
}

// placed returns an error if an event leaves no time before it or after it in a run of d.
func placed(event event.Event, d time.Duration) error {
	if err := event.Validate(); err != nil {
		return err
	}
	switch end := event.Offset + event.Duration; {
	case event.Offset == 0:
		return fmt.Errorf("event %q begins with the run, so that nothing tells how the system does without it: add At", event.Name)
	case event.Duration == 0:
		return fmt.Errorf("event %q has no end: add For", event.Name)
	case end >= d:
		return fmt.Errorf("event %q lasts from %v to %v, and the run ends at %v: it leaves no time to recover; make the profile longer",
			event.Name, event.Offset, end, d)
	}
	return nil
}

// judge finds the last interval after the disturbance from which goodput is down over Hold. The time after that
// interval is the recovery, if it lasts for Hold.
func (d Disturbances) judge(size float64, res *result.Result, event event.Event, profile traffic.Profile) (Recovery, error) {
	end := event.Offset + event.Duration
	hold := int((d.Hold + res.Interval - 1) / res.Interval)
	if d.Hold == 0 {
		hold = 10
	}
	first := int((end + res.Interval - 1) / res.Interval)
	last := min(int(res.Duration/res.Interval), len(res.Timeline))
	if first+hold > last {
		return Recovery{}, fmt.Errorf("%d intervals of %v after event %q, which ends at %v, are too few for a Hold of %d",
			max(last-first, 0), res.Interval, event.Name, end, hold)
	}
	y := yields(res, profile)
	before := total(y[:event.Offset/res.Interval])
	if before.good == 0 {
		return Recovery{}, fmt.Errorf("no goodput before event %q at %v, of %d requests that ended: nothing can return",
			event.Name, event.Offset, total(y[:event.Offset/res.Interval]).ended)
	}
	want := target{share: d.Share * before.share(), users: profile.Kind() == traffic.Closed}
	final := total(y[last-max(last/10, 1) : last])
	r := Recovery{Size: size, Before: before.share(), Final: final.share(), Result: res, users: want.users}
	from := first
	for i := first; i+hold <= last; i++ {
		if total(y[i : i+hold]).below(want) {
			from = i + 1
		}
	}
	for from < last && y[from].below(want) {
		from++ // the first intervals of a window that is up on the whole
	}
	r.Recovered = from+hold <= last && !final.below(want)
	if r.Recovered {
		r.After = max(time.Duration(from)*res.Interval-end, 0)
	}
	return r, nil
}

// A yield is what the load of some intervals led to: the good requests, all requests that ended, and what was due, in
// arrivals or in user-seconds.
type yield struct {
	good, ended int64
	due         float64
}

// share is the goodput divided by what was due.
func (y yield) share() float64 {
	if y.due == 0 {
		return 0
	}
	return float64(y.good) / y.due
}

// A target is the share from which the system counts as up.
type target struct {
	share float64
	users bool
}

// below reports whether y misses the target by more than three standard errors. Each arrival is good or not, so that
// their error is binomial; the number of requests that users make has Poisson's. If nothing was due, nothing is known.
func (y yield) below(t target) bool {
	expected := t.share * y.due
	variance := expected
	if !t.users {
		variance *= max(1-t.share, 0)
	}
	return y.due > 0 && float64(y.good) < expected-3*math.Sqrt(variance)
}

// yields returns the yield of every interval of the timeline. Users wait for their answers: what is due is the number
// of users, and not the number of requests that they make.
func yields(res *result.Result, profile traffic.Profile) []yield {
	out := make([]yield, len(res.Timeline))
	for i, p := range res.Timeline {
		out[i] = yield{p.Finished - p.Errors, p.Finished, float64(p.Arrivals)}
		if profile.Kind() == traffic.Closed {
			out[i].due = profile.LevelAt(p.Offset+res.Interval/2) * res.Interval.Seconds()
		}
	}
	return out
}

func total(ys []yield) (sum yield) {
	for _, y := range ys {
		sum = yield{sum.good + y.good, sum.ended + y.ended, sum.due + y.due}
	}
	return sum
}

// Limit returns the largest size from which the system recovered, and the first size from which it did not, or zero if
// it always did.
func (rs Recoveries) Limit() (recovered, not float64) {
	for _, r := range rs {
		if !r.Recovered {
			return recovered, r.Size
		}
		recovered = r.Size
	}
	return recovered, 0
}

// finding says in a sentence at which size recovery stops.
func (rs Recoveries) finding() string {
	for i, r := range rs {
		switch {
		case r.Recovered:
		case i == 0:
			return fmt.Sprintf("recovery: the system recovers from no disturbance tried, it stays down after the smallest, %.6g", r.Size)
		default:
			return fmt.Sprintf("recovery: the system recovers from a disturbance of %.6g, and stays down after one of %.6g", rs[i-1].Size, r.Size)
		}
	}
	if len(rs) == 0 {
		return "recovery: no disturbance was tried"
	}
	return fmt.Sprintf("recovery: the system recovers from every disturbance tried, up to %.6g", rs[len(rs)-1].Size)
}

// String says the limit in a sentence, and shows a table of the sizes.
func (rs Recoveries) String() string {
	var b strings.Builder
	b.WriteString(rs.finding() + "\n")
	if len(rs) == 0 {
		return b.String()
	}
	percent, users := func(x float64) string { return fmt.Sprintf("%.4g%%", 100*x) }, func(x float64) string { return fmt.Sprintf("%.4g", x) }
	unit, show := "as a share of the arrivals", percent
	if rs[0].users {
		unit, show = "per user and second", users
	}
	fmt.Fprintf(&b, "  answered: requests that ended without an error, %s\n", unit)
	rows := [][]string{{"disturbance", "", "back after", "answered before", "answered at the end"}}
	for _, r := range rs {
		verdict, after := "recovered", text.Short(r.After)
		if !r.Recovered {
			verdict, after = "stays down", "-"
		}
		rows = append(rows, []string{fmt.Sprintf("%.6g", r.Size), verdict, after, show(r.Before), show(r.Final)})
	}
	toTheRight(rows, 2)
	text.Table(&b, rows)
	return b.String()
}

// toTheRight aligns a column in which not every cell is a number.
func toTheRight(rows [][]string, column int) {
	width := 0
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(row[column]))
	}
	for _, row := range rows {
		row[column] = strings.Repeat(" ", width-utf8.RuneCountInString(row[column])) + row[column]
	}
}
