package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/go-qtests/qtests/qtests/load/merge"
)

// merge is the command of that name. The status is 1 where something failed or does not belong
// together.
func (t *tool) merge(args []string) (int, error) {
	f := flag.NewFlagSet("merge", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	chdir := f.String("C", "", "")
	output := f.String("o", "", "")
	if err := f.Parse(args); err != nil {
		return 0, fmt.Errorf("merge: %w: %w", err, errUsage)
	}
	if f.NArg() != 1 {
		return 0, fmt.Errorf("merge: takes the directory of the parts: %w", errUsage)
	}
	dir := under(*chdir, f.Arg(0))
	runs, err := merge.Dir(dir)
	if err != nil {
		return 0, err
	}
	if *output != "" {
		dir = under(*chdir, *output)
	} else {
		dir = filepath.Join(dir, "merged")
	}
	if err := merge.Write(dir, runs); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(t.stdout, merge.Summary(runs)); err != nil {
		return 0, err
	}
	t.say("the reports are in %s", dir)
	return statusOf(slices.ContainsFunc(runs, func(r merge.Run) bool { return r.Failing() })), nil
}

// under is a path as seen from a directory.
func under(dir, path string) string {
	if dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
