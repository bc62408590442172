package lint

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/rules"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Config says what the rules are held against.
type Config struct {
	// Interval is the time between two scrapes, and between two evaluations of a group
	// that gives none. Zero is monitor.DefaultInterval.
	Interval time.Duration
	// Except are findings that are meant: the word of a check ("absent"), the name of an
	// alert or a recorded metric, or both ("DiskFull: range"). One that excepts nothing
	// is a finding itself.
	Except []string
	// Compile checks the expressions, as monitor.Config.Compile does. Nil is monitor's own
	// reader.
	Compile monitor.Compiler
}

// A Finding is a flaw of one rule.
type Finding struct {
	Origin string // the file, the line and the group
	Rule   string // the name of the alert or of the recorded metric
	Check  string // its word: see the package doc
	Text   string
}

// String returns the finding as one line: file:line: group "g": rule: check: text.
func (f Finding) String() string {
	out := ""
	for _, part := range []string{f.Origin, f.Rule, f.Check} {
		if part != "" {
			out += part + ": "
		}
	}
	return out + f.Text
}

// Rules returns what is wrong with the rules, in their order. The error is about cfg.
func Rules(cfg Config, all []monitor.Rule) ([]Finding, error) {
	check := field.Check("lint: Config")
	check.Duration("Interval", cfg.Interval)
	if err := check.Result(); err != nil {
		return nil, err
	}
	cfg.Interval = cmp.Or(cfg.Interval, monitor.DefaultInterval)
	l := newLinter(cfg, all)
	for i := range all {
		l.rule(i)
	}
	return l.except(), nil
}

// Require fails t with a line for each finding in the rule files: see [Rules]. A file may be
// a pattern of filepath.Glob; one that names no file fails t. A file that cannot be read
// fails t with its error, and the others are looked at all the same. All files together are
// one set of rules.
func Require(t tb.TB, cfg Config, files ...string) {
	t.Helper()
	found, err := Rules(cfg, read(t, files))
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	for _, f := range found {
		t.Errorf("lint: %v", f)
	}
}

// read reads the files of patterns.
func read(t tb.TB, patterns []string) (all []monitor.Rule) {
	t.Helper()
	if len(patterns) == 0 {
		tb.Fatalf(t, "lint: Require without a file")
	}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			tb.Fatalf(t, "lint: %q names no file", pattern)
		}
		for _, path := range paths {
			found, err := rules.Read(path)
			if err != nil {
				t.Errorf("lint: %v", err)
			}
			all = append(all, found...)
		}
	}
	return all
}

// except returns the findings that are not excepted, and those about Config.Except.
func (l *linter) except() (out []Finding) {
	used := make([]bool, len(l.cfg.Except))
	for _, f := range l.found {
		i := slices.IndexFunc(l.cfg.Except, func(x string) bool { return x == f.Check || x == f.Rule || x == f.Rule+": "+f.Check })
		if i < 0 {
			out = append(out, f)
			continue
		}
		used[i] = true
	}
	for i, x := range l.cfg.Except {
		if !used[i] {
			out = append(out, Finding{Text: fmt.Sprintf("Config.Except: %q excepts nothing", strings.TrimSpace(x))})
		}
	}
	return out
}
