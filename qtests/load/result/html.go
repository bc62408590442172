package result

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-qtests/qtests/qtests/internal/report"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/tb"
)

// SaveHTML writes the report into the directory for artifacts of t and returns its path. go test
// -artifacts keeps that directory; otherwise it is removed when the test has ended. The report is one
// file that asks no network for anything. An error of the file system fails t.
//
// The file is load-<scenario>.html. In the name, letters and digits of any script, - and _ stay and
// everything else becomes -, and a name over 100 bytes is cut. Nothing is overwritten: if there is a
// file of that name, the report is load-<scenario>-2.html, or -3 and so on.
func (r *Result) SaveHTML(t tb.TB) string {
	t.Helper()
	name, err := r.save(tb.ArtifactDirOf(t), ".html", r.WriteHTML)
	if err != nil {
		tb.Fatalf(t, "load: report: %v", err)
	}
	return name
}

// SaveTo writes the report and the JSON form into a directory, as load-<scenario>.html and load-<scenario>.json, by the rules of SaveHTML, and
// returns the path of the report. A test that fails leaves both behind without being asked: see package load.
func (r *Result) SaveTo(dir string) (page string, err error) {
	if page, err = r.save(dir, ".html", r.WriteHTML); err == nil {
		_, err = r.save(dir, ".json", r.WriteJSON)
	}
	return page, err
}

// save writes a file that is not there yet.
func (r *Result) save(dir, extension string, write func(io.Writer) error) (name string, err error) {
	file, err := createNew(filepath.Join(dir, "load-"+FileName(r.Scenario)), extension)
	if err != nil {
		return "", err
	}
	err = write(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return file.Name(), err
}

// maxReports bounds how many reports of one name are told apart by a number.
const maxReports = 10_000

// createNew creates a file that is not there yet.
func createNew(path, extension string) (*os.File, error) {
	name := path + extension
	for n := 2; ; n++ {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) || n > maxReports {
			return file, err
		}
		name = fmt.Sprintf("%s-%d%s", path, n, extension)
	}
}

// FileName makes a file name of the name of a scenario or a test: letters and digits of any script, - and _ stay, everything else becomes -, and
// a name over 100 bytes is cut.
func FileName(name string) string {
	safe := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsMark(c) || unicode.IsDigit(c) || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, name)
	cut := min(len(safe), 100)
	for cut < len(safe) && !utf8.RuneStart(safe[cut]) {
		cut--
	}
	return safe[:cut]
}

// WriteHTML writes the report. Under a fake clock it is the same, byte for byte, for
// the same seed.
func (r *Result) WriteHTML(w io.Writer) error { return r.page().Write(w) }

func (r *Result) page() report.Page {
	end := max(r.Elapsed, r.Duration, time.Millisecond)
	if r.Halted != "" {
		end = max(r.Elapsed, time.Millisecond)
	}
	p := report.Page{
		Title: r.Scenario, Subtitle: r.Profile, Verdict: r.verdict(), Tone: r.tone(),
		Span: end.Seconds(), Facts: r.facts(), Charts: r.charts(end), Bands: r.bands(end), Broken: r.broken(), Tables: r.tables(),
		Reasons: r.Reasons(), Origin: r.Origin,
	}
	for _, m := range r.Marks {
		p.Marks = append(p.Marks, report.Mark{At: m.Offset.Seconds(), When: r.when(m.Offset), Kind: m.kind(), Who: m.Source, Text: m.Text})
	}
	p.Footer = append(p.Footer, fmt.Sprintf("seed %d, scale %s, start %s", r.Seed, text.Number(r.Scale), r.Start.Format(time.RFC3339)))
	if r.Monitored != nil {
		p.Footer = append(p.Footer, "The panels are those of monitor.Config.Panels. A query box is in the live page, dashboard.Handler; after a run, Monitor.QueryRange answers.")
	}
	if r.MarksDropped > 0 {
		p.Footer = append(p.Footer, "Of what happened, "+r.droppedMarks()+".")
	}
	if r.LogLost != "" {
		p.Footer = append(p.Footer, "The request log was not written to its end: "+r.LogLost)
	}
	if r.Warning != "" {
		p.Footer = append(p.Footer, "Warning: "+r.Warning)
	}
	if r.Order != "" {
		p.Footer = append(p.Footer, "Order: "+r.Order)
	}
	if r.Repeat != "" {
		p.Footer = append(p.Footer, "Repeat with: "+r.Repeat)
	}
	return p
}

// kind is the first word of the source.
func (m Mark) kind() string {
	word, _, _ := strings.Cut(m.Source, " ")
	if word == "event" || word == "breaker" || word == "alert" {
		return word
	}
	return "other"
}

func (r *Result) facts() []report.Fact {
	return []report.Fact{
		{Label: "Requests", Value: text.Grouped(r.Finished), Note: "in " + text.Short(r.Elapsed)},
		{Label: "Rate", Value: text.Rate(r.Rate()), Note: text.Rate(r.Goodput()) + " without error"},
		{Label: "Response p50", Value: text.Short(r.Response.Percentile(50)), Note: "p95 " + text.Short(r.Response.Percentile(95))},
		{Label: "Response p99", Value: text.Short(r.Response.Percentile(99)), Note: "max " + text.Short(r.Response.Max())},
		{Label: "Errors", Value: fmt.Sprintf("%.3g%%", 100*r.ErrorRate()), Note: text.Grouped(r.Errors) + " requests"},
		r.inFlightFact(),
	}
}

// inFlightFact has the mean, unless that is near zero.
func (r *Result) inFlightFact() report.Fact {
	if r.MeanInFlight < 0.01 {
		return report.Fact{Label: "In flight", Value: text.Grouped(r.MaxInFlight), Note: "the most at any instant"}
	}
	return report.Fact{Label: "In flight", Value: text.Significant(r.MeanInFlight), Note: "at most " + text.Grouped(r.MaxInFlight)}
}

// when is an offset, and of a replay the instant of the log before it.
func (r *Result) when(offset time.Duration) string {
	if r.Origin.IsZero() {
		return offset.String()
	}
	return r.Origin.Add(offset).UTC().Format("2006-01-02 15:04:05.999") + " (" + offset.String() + ")"
}
