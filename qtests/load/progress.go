package load

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// progress says how a run of the given name and length stands at an offset, to fill a line.
func progress(name string, length, at time.Duration, rec *record.Recorder) string {
	line := fmt.Sprintf("real: %s %v of %v: %s requests, %s/s, %d in flight, p99 %v, %s", name,
		at.Round(time.Second), length, text.Grouped(rec.All.Finished), text.Significant(result.RateOf(rec.All.Finished, at)), rec.InFlight,
		text.Short(rec.All.Response.Percentile(99)), errorShare(rec))
	if rec.Dropped > 0 {
		line += fmt.Sprintf(", %s dropped", text.Grouped(rec.Dropped))
	}
	return line
}

// brief is a shorter progress, for one of several runs.
func brief(name string, at time.Duration, rec *record.Recorder) string {
	return fmt.Sprintf("%s %s, %s/s, %s", name, text.Grouped(rec.All.Finished), text.Significant(result.RateOf(rec.All.Finished, at)), errorShare(rec))
}

func errorShare(rec *record.Recorder) string {
	return fmt.Sprintf("%.3g%% errors", 100*float64(rec.All.Errors)/float64(max(rec.All.Finished, 1)))
}

// Progress says in a line how the run stands. It is for the watch.
func (r *run) Progress() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := progress(r.Name, r.duration, r.offset(), r.mu.rec)
	if r.mu.ended.why != nil {
		line += "; ending, Ctrl-C again to end at once"
	}
	return line
}

// Brief is a shorter Progress. It is for the watch.
func (r *run) Brief() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return brief(r.Name, r.offset(), r.mu.rec)
}

// StopEarly ends the arrivals, unless they have ended. It is for the watch.
func (r *run) StopEarly(why error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopLocked(why)
}

// EndGrace ends the grace of what is under way. It is for the watch.
func (r *run) EndGrace(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.ended.why == nil { // the arrivals had come to their end
		r.mu.ended.why, r.mu.ended.at = why, r.offset()
	}
	r.mu.phase.turn(hurry)
}
