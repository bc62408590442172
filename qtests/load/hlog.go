package load

import (
	"fmt"
	"io"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

// hdr returns the histogram in the form that HDR tools read: microseconds, up to
// 24 hours, three significant digits. Both have the same buckets, so that no count
// moves.
func (h *Histogram) hdr() *hdrhistogram.Histogram {
	out := hdrhistogram.New(1, LongestDuration.Microseconds(), 3)
	for b, n := range h.counts {
		if n > 0 {
			_ = out.RecordValues(int64(lowestOf(b)+uint64(h.tops[b])), int64(n)) // within the range
		}
	}
	return out
}

// WriteHLog writes the response times as an HDR histogram log (V2): one line
// for the whole run and one, tagged with its name, for every step. Values are microseconds. Other HDR
// tools read, merge and plot it.
func (r *Result) WriteHLog(w io.Writer) error {
	log := hdrhistogram.NewHistogramLogWriter(w)
	start := r.Start.UnixMilli()
	errs := []error{
		log.OutputComment(fmt.Sprintf("[load scenario %s, seed %d, response time in microseconds]", r.Scenario, r.Seed)),
		log.OutputLogFormatVersion(),
		log.OutputStartTime(start),
		log.OutputLegend(),
	}
	line := func(tag string, h *Histogram) {
		if h.Count() == 0 {
			return
		}
		out := h.hdr()
		out.SetTag(tag)
		out.SetStartTimeMs(start)
		out.SetEndTimeMs(start + r.Elapsed.Milliseconds())
		errs = append(errs, log.OutputIntervalHistogram(out))
	}
	line("", &r.Response)
	for i := range r.Steps {
		line(hlogTag(r.Steps[i].Name), &r.Steps[i].Response)
	}
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("load: hlog: %w", err)
		}
	}
	return nil
}

// hlogTag is a name without what separates the fields of a log.
func hlogTag(name string) string {
	out := []rune(name)
	for i, c := range out {
		if c == ',' || c == ' ' || c < ' ' {
			out[i] = '_'
		}
	}
	return string(out)
}
