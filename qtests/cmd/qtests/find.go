package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/points"
	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/store"
	"github.com/go-qtests/qtests/qtests/internal/explore"
)

// finding is a run of the command find.
type finding struct {
	*tool
	run      string
	chdir    string
	output   string
	points   bool
	limit    time.Duration
	seeds    int
	procs    int
	all      bool
	explore  string
	build    []string // flags of go test that decide how it compiles
	patterns []string
	temp     string
	failed   bool
	last     string // the line that comes last
}

// buildFlags are those that find passes on.
var buildFlags = map[string]bool{ // with a value
	"tags": true, "mod": true, "modfile": true, "overlay": true, "gcflags": true, "ldflags": true, "race": false, "msan": false, "asan": false, "trimpath": false,
}

// passed is a flag that is passed on to go test.
type passed struct {
	name  string
	value bool
	to    *[]string
}

func (p passed) String() string   { return "" }
func (p passed) IsBoolFlag() bool { return !p.value }
func (p passed) Set(v string) error {
	*p.to = append(*p.to, "-"+p.name+"="+v)
	return nil
}

func (t *tool) parseFind(args []string) (*finding, error) {
	d := &finding{tool: t}
	f := flag.NewFlagSet("find", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&d.run, "run", "", "")
	f.StringVar(&d.chdir, "C", "", "")
	f.StringVar(&d.output, "o", "_artifacts", "")
	f.StringVar(&d.explore, "explore", "pct", "")
	f.BoolVar(&d.points, "points", true, "")
	f.BoolVar(&d.all, "all", false, "")
	f.IntVar(&d.seeds, "seeds", 0, "")
	f.DurationVar(&d.limit, "for", 0, "")
	f.IntVar(&d.procs, "p", runtime.NumCPU(), "")
	for name, value := range buildFlags {
		f.Var(passed{name, value, &d.build}, name, "")
	}
	if err := f.Parse(args); err != nil {
		return nil, fmt.Errorf("find: %w: %w", err, errUsage)
	}
	d.patterns = f.Args()
	if len(d.patterns) == 0 {
		d.patterns = []string{"."}
	}
	switch {
	case d.seeds < 0 || d.procs < 1 || d.limit < 0:
		return nil, fmt.Errorf("find: -seeds, -for and -p take positive numbers: %w", errUsage)
	case d.seeds == 0 && d.limit == 0:
		d.seeds = 1000
	case d.seeds == 0:
		d.seeds = 1 << 40
	}
	if _, err := explore.Parse(d.explore); err != nil {
		return nil, fmt.Errorf("find: -explore: %w: %w", err, errUsage)
	}
	return d, nil
}

// find is the command of that name. The status is 1 when it has found a failure.
func (t *tool) find(args []string) (int, error) {
	d, err := t.parseFind(args)
	if err != nil {
		return 0, err
	}
	ctx, stop := untilSignal()
	defer stop()
	if d.temp, err = os.MkdirTemp("", "qtests-find-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(d.temp) //nolint:errcheck // the system's temporary directory
	targets, env, err := d.compile(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return 0, err
	}
	return d.searchAll(ctx, targets, env)
}

// searchAll searches one test after the other, up to a failure where that is enough.
func (d *finding) searchAll(ctx context.Context, targets []find.Target, env []string) (status int, err error) {
	searched := false
	for _, target := range targets {
		ok, err := d.search(ctx, target, env)
		if err != nil {
			return 0, err
		}
		searched = searched || ok
		if ctx.Err() != nil || d.failed && !d.all {
			break
		}
	}
	if !searched && ctx.Err() == nil {
		return 0, errors.New("no test that -run names opens a bubble with qtests.Run: there is nothing to search")
	}
	if d.last != "" {
		fmt.Fprintln(d.stdout, d.last)
	}
	return statusOf(d.failed || ctx.Err() != nil), nil
}

// statusOf is the exit status where something failed, or not.
func statusOf(failed bool) int {
	if failed {
		return 1
	}
	return 0
}

// compile compiles the packages with tests, and lists their tests.
func (d *finding) compile(ctx context.Context) ([]find.Target, []string, error) {
	flags := gocmd.ParseTest(d.build)
	flags.Chdir = d.chdir
	o, err := d.prepareUntil(ctx, flags)
	if err != nil {
		return nil, nil, err
	}
	if d.points {
		if err := d.withPoints(ctx, o, flags, d.patterns); err != nil {
			return nil, nil, err
		}
	}
	build := append([]string{"-overlay=" + o.file}, flags.Args...)
	out, err := o.Output(ctx, "list", append(append(slices.Clone(build), "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"), d.patterns...)...)
	if err != nil {
		return nil, nil, err
	}
	var targets []find.Target
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return targets, o.Env, nil
		} else if err != nil {
			return nil, nil, err
		}
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		binary := filepath.Join(d.temp, fmt.Sprintf("%d.test", len(targets)))
		if _, err := o.Output(ctx, "test", append(append([]string{"-c", "-vet=off", "-o", binary}, build...), p.ImportPath)...); err != nil {
			return nil, nil, err
		}
		all, err := d.tests(ctx, binary, p.Dir, p.ImportPath)
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, all...)
	}
}

// withPoints adds points to the packages of the main module that the patterns need.
func (t *tool) withPoints(ctx context.Context, o *orderedGo, flags gocmd.TestFlags, patterns []string) error {
	dir, err := o.Dir()
	if err != nil {
		return err
	}
	own, err := store.Replaced(o.theirs, dir)
	if err != nil {
		return err
	}
	build := append([]string{"-overlay=" + o.file}, flags.Build...)
	texts, err := points.Load(ctx, o.Go, build, patterns, func(file string) bool { _, ok := own[file]; return ok })
	if err != nil || len(texts) == 0 {
		return err
	}
	file, err := o.store.Texts(ctx, texts, own)
	if err != nil {
		return err
	}
	o.file, err = o.store.Merge(ctx, o.overlay, file, dir)
	return err
}

// tests lists the tests of a binary that -run chooses.
func (d *finding) tests(ctx context.Context, binary, dir, pkg string) ([]find.Target, error) {
	first, rest, sub := strings.Cut(d.run, "/")
	names, err := find.List(ctx, binary, dir, first)
	if err != nil {
		return nil, err
	}
	var all []find.Target
	for _, name := range names {
		pattern := "^" + name + "$"
		if sub {
			pattern += "/" + rest
		}
		all = append(all, find.Target{Binary: binary, Dir: dir, Package: pkg, Name: name, Pattern: pattern})
	}
	return all, nil
}
