package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/keep"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/section"
	"github.com/go-qtests/qtests/qtests/tb"
)

// errNeverEnded is why a run was halted that had not ended when its test was over.
var errNeverEnded = errors.New("the test was over, and the run was not")

// keepFor lets a test that fails leave the run behind.
func (r *run) keepFor(t tb.TB) {
	keep.Later(t, keep.Run{Result: r.whatThereIs, Log: r.EventLog})
}

// whatThereIs is the result of the run, or what it has so far.
func (r *run) whatThereIs() *result.Result {
	final, res, end := r.closeEarly(errNeverEnded)
	if final != nil {
		return final
	}
	return r.described(res, end)
}

// result closes the run and returns what it leaves.
func (r *run) result() *result.Result { return r.described(r.close()) }

// described is the result of what was counted until end, with what is known of the run.
func (r *run) described(res *result.Result, end time.Duration) *result.Result {
	res.Scenario, res.Test, res.Repeat, res.Profile = r.Name, r.test, r.repeat, r.Traffic.String()
	res.Seed, res.Scale, res.Start, res.Duration = r.Seed, r.scale, r.began.UTC(), r.Traffic.Duration()
	res.Origin, res.Order = r.Traffic.Origin(), qtests.OrderHere().Brief()
	res.Marks, res.MarksDropped = r.marks(end)
	return res
}

// marks are those of the event log that fall into the run, and the events that the run
// ended too early for. dropped is how many marks the log had no room for since the start.
func (r *run) marks(end time.Duration) (out []result.Mark, dropped int) {
	out = []result.Mark{}
	all, dropped := r.EventLog.Marks()
	for _, m := range all {
		if at := m.At.Sub(r.start); at >= 0 && at <= max(end, r.Traffic.Duration())+r.Grace {
			out = append(out, result.Mark{Offset: tb.Round(at), Source: m.Source, Text: m.Text})
		}
	}
	now := tb.Round(r.offset())
	for _, e := range r.Events {
		if e.Offset > now {
			out = append(out, result.Mark{Offset: now, Source: "event", Text: e.Name + ": did not happen: the run had ended"})
		}
	}
	return out, dropped - r.lost
}

// maxLateness is how much later than intended one request in a hundred may start. From there
// on the load is not the one that was asked for.
const maxLateness = 10 * time.Millisecond

// tellLateness says in the result of a run in real time that the machine which generates the
// load was the bottleneck, if it was.
func (r *run) tellLateness(res *result.Result) {
	late := res.Late.Percentile(99)
	if !r.real || late <= maxLateness {
		return
	}
	res.Warning = fmt.Sprintf("the load generator was the bottleneck: 1%% of the requests started %v or more after they were due (limit %v); lower the rate or use a faster machine",
		text.Short(late), maxLateness)
	res.Slow = r.FailWhenSlow
}

// sections asks the sources what they have to tell. They are the user's code.
func (r *run) sections() (all []section.Section) {
	for i, source := range r.Sections {
		var s section.Section
		err := usercode.Call(func() (err error) {
			s, err = source.Section(r.start, r.clk.Now()).Bounded()
			return err
		})
		if p := new(usercode.PanicError); errors.As(err, &p) {
			r.panicked(p, fmt.Sprintf("Sections[%d]", i))
			continue
		}
		if err != nil {
			s = section.Section{Title: s.Title, Lines: []string{text.Printable(err.Error())}}
		}
		all = append(all, s)
	}
	return all
}
