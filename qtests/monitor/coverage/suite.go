package coverage

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/internal/covered"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
)

// A Suite is the tests of a package, which end with the coverage of their alerts. Make it
// in TestMain. Only one Suite of a process runs at a time.
type Suite struct {
	// M is the *testing.M, or what stands for it.
	M interface{ Run() int }
	// Files are the rule files, or patterns of filepath.Glob, whose alerts are reported,
	// also those that no test reads. Without files, all alerts of all monitors are.
	Files []string
	// Require fails the run for each alert that has not fired, unless Except names it. A
	// run of some of the tests (-run, -skip, -short) reports and does not fail.
	Require bool
	// Except names alerts that no test has to fire. One that fired after all fails the run
	// with Require, so that the list stays true.
	Except []string
	// File receives the report, too: as JSON where the name ends in .json, otherwise as
	// text. Empty is none.
	File string
	// Out receives the report. Nil is os.Stdout.
	Out io.Writer
}

// Run runs the tests, reports, and returns the exit code: the tests' own, or 1 where
// Require is not met, or where a file cannot be read or written.
func (s Suite) Run() int {
	covered.Start()
	code := s.M.Run()
	out := s.Out
	if out == nil {
		out = os.Stdout
	}
	if err := s.report(out, covered.Stop()); err != nil {
		_, _ = fmt.Fprintf(out, "coverage: %v\n", err)
		code = max(code, 1)
	}
	return code
}

func (s Suite) report(out io.Writer, counted []covered.Count) error {
	files, err := s.read()
	if err != nil {
		return err
	}
	r := newReport(counted, files)
	_, _ = io.WriteString(out, r.String())
	if err := s.save(r); err != nil {
		return err
	}
	if s.Require && !partial() {
		return s.require(r)
	}
	return nil
}

// read reads the rules of the files.
func (s Suite) read() (all []monitor.Rule, err error) {
	for _, pattern := range s.Files {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			return nil, fmt.Errorf("%q names no file", pattern)
		}
		for _, path := range paths {
			found, err := rules.Read(path)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

func (s Suite) save(r Report) error {
	data := []byte(r.String())
	switch {
	case s.File == "":
		return nil
	case strings.HasSuffix(s.File, ".json"):
		var err error
		if data, err = json.MarshalIndent(r, "", "  "); err != nil {
			return err
		}
	}
	return os.WriteFile(s.File, data, 0o644)
}

// require returns an error that names the alerts that have not fired.
func (s Suite) require(r Report) error {
	var wrong []string
	for _, a := range r {
		switch excepted := slices.Contains(s.Except, a.Name); {
		case a.Fired == 0 && !excepted:
			wrong = append(wrong, "alert "+a.title()+" has not fired")
		case a.Fired > 0 && excepted:
			wrong = append(wrong, "alert "+a.title()+" is in Suite.Except, and has fired")
		}
	}
	for _, name := range s.Except {
		if !slices.ContainsFunc(r, func(a Alert) bool { return a.Name == name }) {
			wrong = append(wrong, "Suite.Except: no alert is called "+name)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("Suite.Require is not met:\n  %s", strings.Join(wrong, "\n  "))
}

// partial reports whether only some of the tests run.
func partial() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.short"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != f.DefValue {
			return true
		}
	}
	return false
}
