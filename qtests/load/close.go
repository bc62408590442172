package load

import (
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// result closes the run and returns what it was.
func (r *run) result() *result.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.closed = true
	rec := r.mu.rec
	end := max(rec.LastEnd, 0)
	spent := r.mu.spent || r.Traffic.Kind() == traffic.Closed && r.mu.exhausted
	if r.mu.halt == nil && !spent {
		end = max(end, r.duration)
	}
	for u := r.mu.inFlight.first; u != nil; u = u.next {
		rec.Abandon(&u.req, end)
	}
	r.logAbandonedLocked()
	res := rec.Result(end)
	res.Scenario, res.Test, res.Repeat, res.Profile = r.Name, r.test, r.repeat, r.Traffic.String()
	res.Seed, res.Scale, res.Start, res.Duration = r.Seed, r.scale, r.start.UTC(), r.duration
	res.Marks, res.MarksDropped = r.marks(end)
	res.Aborted = r.mu.aborted
	if r.mu.halt != nil {
		res.Halted, res.HaltedAt = text.Printable(r.mu.halt.Error()), qtests.Round(r.mu.haltedAt)
	}
	r.mu.judge.Scaled(r.scale, isReal(r.clk))
	res.Thresholds = r.mu.judge.Verdicts(end)
	return res
}

// marks are those of the event log that fall into the run, and the events that the run
// ended too early for. dropped is how many marks the log had no room for since the start.
func (r *run) marks(end time.Duration) (out []result.Mark, dropped int) {
	out = []result.Mark{}
	all, dropped := r.EventLog.Marks()
	for _, m := range all {
		if at := m.At.Sub(r.start); at >= 0 && at <= max(end, r.duration)+r.Grace {
			out = append(out, result.Mark{Offset: qtests.Round(at), Source: m.Source, Text: m.Text})
		}
	}
	now := qtests.Round(r.offset())
	for _, e := range r.Events {
		if e.Offset > now {
			out = append(out, result.Mark{Offset: now, Source: "event", Text: e.Name + ": did not happen: the run had ended"})
		}
	}
	return out, dropped - r.lost
}
