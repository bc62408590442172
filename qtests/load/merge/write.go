package merge

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// Summary says in text how the runs came out.
func Summary(runs []Run) string {
	var b strings.Builder
	failed := 0
	for i := range runs {
		runs[i].summarize(&b)
		if runs[i].Failing() {
			failed++
		}
	}
	fmt.Fprintf(&b, "%s put together, %d failed\n", text.Plural(len(runs), "run"), failed)
	return b.String()
}

func (r *Run) summarize(b *strings.Builder) {
	fmt.Fprintf(b, "%s: %s\n", r.title(), r.state())
	switch {
	case r.Err != nil:
		fmt.Fprintf(b, "  %s\n", strings.ReplaceAll(r.Err.Error(), "\n", "\n  "))
	case r.Result != nil:
		fmt.Fprintf(b, "%s\n", strings.TrimRight(r.Result.String(), "\n"))
	}
	for _, s := range r.Report {
		fmt.Fprintf(b, "  FAILED: %s\n", strings.ReplaceAll(s, "\n", "\n  "))
	}
}

// title names a run for people.
func (r *Run) title() string {
	switch {
	case r.Result != nil:
		return strings.TrimSpace(r.Result.Test + " " + r.Result.Scenario)
	case r.test != "":
		return r.test
	}
	return r.Name
}

func (r *Run) state() string {
	parts := text.Plural(r.Parts, "part")
	switch {
	case r.Err != nil:
		return "cannot be put together from " + parts
	case r.Result == nil:
		return fmt.Sprintf("%d of %s failed, %s", len(r.Failed), text.Plural(r.Seeds, "seed"), parts)
	}
	return "together from " + parts
}

// Write writes reports of the runs to a directory, which it makes: summary.txt, junit.xml, and of every
// load the result as JSON and HTML and its response times as an HDR histogram log. Existing files are
// written over.
func Write(dir string, runs []Run) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	out := reports(runs)
	for _, name := range text.SortedKeys(out) {
		if err := writeFile(filepath.Join(dir, name), out[name]); err != nil {
			return fmt.Errorf("merge: %s: %w", name, err)
		}
	}
	return nil
}

// reports has what writes each report, by the name of its file.
func reports(runs []Run) map[string]func(io.Writer) error {
	out := map[string]func(io.Writer) error{
		"summary.txt": func(w io.Writer) error { _, err := io.WriteString(w, Summary(runs)); return err },
		"junit.xml":   func(w io.Writer) error { return WriteJUnit(w, runs) },
	}
	for i := range runs {
		if res := runs[i].Result; res != nil {
			plain := withoutPart(res)
			out[runs[i].Name+".json"], out[runs[i].Name+".html"], out[runs[i].Name+".hlog"] = plain.WriteJSON, plain.WriteHTML, plain.WriteHLog
		}
	}
	return out
}

// writeFile writes a file if there is no error in what it has.
func writeFile(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o666)
}

// withoutPart is a result as a single run leaves it.
func withoutPart(r *result.Result) *result.Result {
	c := *r
	c.Part = nil
	return &c
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr,omitempty"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string       `xml:"name,attr"`
	ClassName string       `xml:"classname,attr"`
	Time      string       `xml:"time,attr,omitempty"`
	Failure   *junitFailed `xml:"failure"`
	Error     *junitFailed `xml:"error"`
}

type junitFailed struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the runs in the form of JUnit, which most CI systems show: a suite for each run, with
// a case for the run and one for every threshold. What cannot be put together is an error of its run.
func WriteJUnit(w io.Writer, runs []Run) error {
	var all junitSuites
	for i := range runs {
		all.add(runs[i].suite())
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func (all *junitSuites) add(s junitSuite) {
	all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	all.Suites = append(all.Suites, s)
}

func (r *Run) suite() junitSuite {
	s := junitSuite{Name: r.title()}
	if r.Result != nil {
		s.Time = fmt.Sprintf("%.3f", r.Result.Elapsed.Seconds())
	}
	s.add(junitCase{Name: "run", Time: s.Time, Error: r.junitError(), Failure: r.junitFailure()})
	if r.Result != nil {
		for _, v := range r.Result.Thresholds {
			s.add(thresholdCase(v))
		}
	}
	return s
}

func thresholdCase(v result.Verdict) junitCase {
	c := junitCase{Name: "threshold " + v.Threshold}
	if !v.Pass {
		c.Failure = failed(v.String())
	}
	return c
}

func (s *junitSuite) add(c junitCase) {
	c.ClassName = s.Name
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	s.Cases = append(s.Cases, c)
}

// junitError says why the parts are not together. It is nil where they are.
func (r *Run) junitError() *junitFailed {
	if r.Err == nil {
		return nil
	}
	return failed(r.Err.Error())
}

// junitFailure says what failed beside the thresholds, which have cases of their own. It is nil where nothing did,
// and where the parts are not together.
func (r *Run) junitFailure() *junitFailed {
	beside := r.Report // of seeds, which have no thresholds
	if r.Result != nil {
		beside = others(r.Result)
	}
	if r.Err != nil || len(beside) == 0 {
		return nil
	}
	return failed(strings.Join(beside, "\n"))
}

func failed(why string) *junitFailed {
	first, _, _ := strings.Cut(why, "\n")
	return &junitFailed{Message: first, Text: why}
}
