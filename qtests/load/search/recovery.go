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
	r := &recovering{d, t, book, at}
	r.ahead()
	out, err := r.all()
	if len(out) > 0 {
		t.Logf("%s", out)
	}
	if err != nil {
		tb.Fatalf(t, "load: Recovers: %v", err)
	}
	return out
}

func (d Disturbances) check() error {
	if len(d.Sizes) == 0 {
		return fmt.Errorf("load: Disturbances.Sizes: none")
	}
	if !rising(d.Sizes) {
		return fmt.Errorf("load: Disturbances.Sizes: %v are not finite and in rising order", d.Sizes)
	}
	if d.Share != 0 && !(d.Share > 0 && d.Share <= 1) {
		return fmt.Errorf("load: Disturbances.Share: %v is not over 0 and at most 1", d.Share)
	}
	if d.Hold < 0 {
		return fmt.Errorf("load: Disturbances.Hold: %v is negative", d.Hold)
	}
	return nil
}

// rising reports whether sizes are finite, and each is above the one before it.
func rising(sizes []float64) bool {
	for i, size := range sizes {
		if math.IsNaN(size) || math.IsInf(size, 0) || i > 0 && size <= sizes[i-1] {
			return false
		}
	}
	return true
}

// A recovering is a search of Recovers.
type recovering struct {
	Disturbances
	t    tb.TB
	book ledger
	at   func(size float64) (load.Scenario, event.Event)
}

// ahead runs the sizes that are dealt to this part, and that the others will ask for. An error is met again where its
// run is asked for.
func (r *recovering) ahead() {
	r.t.Helper()
	for i := range r.Sizes {
		if r.book.own(i) {
			if _, err := r.recovery(i); err != nil {
				return
			}
		}
	}
}

// all returns the recoveries of all sizes, or those before an error.
func (r *recovering) all() (out Recoveries, err error) {
	r.t.Helper()
	for i, size := range r.Sizes {
		one, err := r.recovery(i)
		if err != nil {
			return out, fmt.Errorf("size %.6g: %w", size, err)
		}
		out = append(out, one)
	}
	return out, nil
}

// told is a Recovery as the parts of a search tell each other.
type told struct {
	Recovery
	Users bool
}

// recovery returns the recovery of size i: as another part has told, or else run here.
func (r *recovering) recovery(i int) (Recovery, error) {
	r.t.Helper()
	var known told
	if r.book.read(r.Sizes[i], i, &known) {
		known.users = known.Users
		return known.Recovery, nil
	}
	one, err := r.try(r.Sizes[i])
	if err == nil {
		err = r.book.write(r.Sizes[i], i, told{one, one.users})
	}
	return one, err
}

// try runs one size.
func (r *recovering) try(size float64) (Recovery, error) {
	r.t.Helper()
	scenario, disturbance := r.at(size)
	if err := scenario.Traffic.Err(); err != nil {
		return Recovery{}, err
	}
	if err := placed(disturbance, scenario.Traffic.Duration()); err != nil {
		return Recovery{}, err
	}
	scenario.Events = append(append([]event.Event(nil), scenario.Events...), disturbance)
	res, err := load.Try(r.t, scenario)
	if err != nil {
		return Recovery{}, err
	}
	if res.Warning != "" {
		r.t.Logf("real: %s", res.Warning)
	}
	if err := unfit(res); err != nil {
		return Recovery{}, err
	}
	return r.judge(size, res, disturbance, scenario.Traffic)
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
	fmt.Fprintf(&b, "  answered: requests that ended without an error, %s\n", rs[0].unit())
	rows := [][]string{{"disturbance", "", "back after", "answered before", "answered at the end"}}
	for _, r := range rs {
		rows = append(rows, r.row())
	}
	toTheRight(rows, 2)
	text.Table(&b, rows)
	return b.String()
}

func (r Recovery) row() []string {
	verdict, after := "recovered", text.Short(r.After)
	if !r.Recovered {
		verdict, after = "stays down", "-"
	}
	return []string{fmt.Sprintf("%.6g", r.Size), verdict, after, r.goodput(r.Before), r.goodput(r.Final)}
}

// unit says what Before and Final are.
func (r Recovery) unit() string {
	if r.users {
		return "per user and second"
	}
	return "as a share of the arrivals"
}

// goodput shows Before or Final.
func (r Recovery) goodput(x float64) string {
	if r.users {
		return fmt.Sprintf("%.4g", x)
	}
	return fmt.Sprintf("%.4g%%", 100*x)
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
