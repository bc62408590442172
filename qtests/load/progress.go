package load

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// Progress says how the run stands, to fill a line.
func (r *run) Progress() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.mu.rec
	at := r.offset()
	line := fmt.Sprintf("real: %s %v of %v: %s requests, %s/s, %d in flight, p99 %v, %s", r.Name,
		at.Round(time.Second), r.duration, text.Grouped(rec.All.Finished), text.Significant(result.RateOf(rec.All.Finished, at)), rec.InFlight,
		text.Short(rec.All.Response.Percentile(99)), errorShare(rec))
	if rec.Dropped > 0 {
		line += fmt.Sprintf(", %s dropped", text.Grouped(rec.Dropped))
	}
	if r.mu.ended.why != nil {
		line += "; ending, Ctrl-C again to end at once"
	}
	return line
}

// Brief is Progress for one of several.
func (r *run) Brief() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.mu.rec
	return fmt.Sprintf("%s %s, %s/s, %s", r.Name, text.Grouped(rec.All.Finished), text.Significant(result.RateOf(rec.All.Finished, r.offset())), errorShare(rec))
}

func errorShare(rec *record.Recorder) string {
	return fmt.Sprintf("%.3g%% errors", 100*float64(rec.All.Errors)/float64(max(rec.All.Finished, 1)))
}
