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
