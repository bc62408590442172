package result

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// hdr returns the histogram in the form that HDR tools read: microseconds, up to 24 hours, three
// significant digits. Both have the same buckets, so that every count stays in its bucket.
func (h *Histogram) hdr() *hdrhistogram.Histogram {
	out := hdrhistogram.New(1, LongestDuration.Microseconds(), 3)
	for b, n := range h.counts {
		if n > 0 {
			_ = out.RecordValues(int64(lowestOf(b)+uint64(h.tops[b])), int64(n)) // within the range
		}
	}
	return out
}

// coarseTag is the tag of the lines that are intervals of the timeline.
const coarseTag = "intervals"

// WriteHLog writes the response times as an HDR histogram log (V2), which ReadHLog and other HDR tools
// read, merge and plot:
//
//   - one line without a tag for the whole run;
//   - one for every step, part and route, tagged with its name. In a tag _ replaces blanks, commas and
//     invisible characters, and a tag that would be the same as one before it gets a _ at its end;
//   - one for every interval of the timeline in which a request ended, tagged "intervals". Counts are
//     exact. Values are at most 3.2 % too high, because no more is kept of an interval. A result that
//     was read from JSON has no such lines.
//
// Values are microseconds, where most tools expect nanoseconds:
// HistogramLogProcessor shows milliseconds with -outputValueUnitRatio 1000, and the
// intervals with -tag intervals. The column Interval_Max is in seconds.
func (r *Result) WriteHLog(w io.Writer) error {
	log := &hlog{HistogramLogWriter: hdrhistogram.NewHistogramLogWriter(w), start: r.Start, tags: map[string]bool{coarseTag: true}}
	log.head(r)
	log.line("", 0, r.Elapsed, r.Response.hdr())
	for i := range r.Steps {
		log.line(log.tag(r.Steps[i].Name), 0, r.Elapsed, r.Steps[i].Response.hdr())
	}
	interval := hdrhistogram.New(1, LongestDuration.Microseconds(), 3)
	for i, times := range r.Buckets {
		interval.Reset()
		for _, t := range times {
			log.keep(interval.RecordValues(t.Top.Microseconds(), t.Count))
		}
		from := time.Duration(i) * r.Interval
		log.line(coarseTag, from, from+r.Interval, interval)
	}
	if log.err != nil {
		return fmt.Errorf("load: hlog: %w", log.err)
	}
	return nil
}

// unitComment tells ReadHLog the unit of the values.
const unitComment = "response time in microseconds"

// An hlog is a log that is being written.
type hlog struct {
	*hdrhistogram.HistogramLogWriter
	start time.Time
	tags  map[string]bool // that are taken
	err   error           // the first
}

func (l *hlog) keep(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *hlog) head(r *Result) {
	l.keep(l.OutputComment(fmt.Sprintf("[load scenario %s, seed %d, %s, Interval_Max in seconds]", text.OneLine(r.Scenario), r.Seed, unitComment)))
	l.keep(l.OutputLogFormatVersion())
	l.keep(l.OutputStartTime(l.start.UnixMilli()))
	l.keep(l.OutputLegend())
}

func (l *hlog) line(tag string, from, to time.Duration, h *hdrhistogram.Histogram) {
	if h.TotalCount() == 0 || l.err != nil {
		return
	}
	h.SetTag(tag)
	h.SetStartTimeMs(l.start.Add(from).UnixMilli())
	h.SetEndTimeMs(l.start.Add(to).UnixMilli())
	l.keep(l.OutputIntervalHistogram(h))
}

// tag makes a tag of a name: without what separates the fields of a log, and different from the tags
// before it.
func (l *hlog) tag(name string) string {
	tag := strings.Map(func(c rune) rune {
		if c == ',' || unicode.IsSpace(c) || !unicode.IsGraphic(c) {
			return '_'
		}
		return c
	}, name)
	for l.tags[tag] {
		tag += "_"
	}
	l.tags[tag] = true
	return tag
}
