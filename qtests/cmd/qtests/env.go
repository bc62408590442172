package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
)

// parse reads the flags of a command that takes no other arguments.
func parse(f *flag.FlagSet, args []string) error {
	f.SetOutput(io.Discard)
	if err := f.Parse(args); err != nil {
		return fmt.Errorf("%s: %w: %w", f.Name(), err, errUsage)
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%s: takes no argument %q: %w", f.Name(), f.Arg(0), errUsage)
	}
	return nil
}

// env is the command of that name.
func (t *tool) env(args []string) error {
	f := flag.NewFlagSet("env", flag.ContinueOnError)
	chdir := f.String("C", "", "")
	asJSON := f.Bool("json", false, "")
	shell := f.String("shell", "", "")
	if err := parse(f, args); err != nil {
		return err
	}
	write, known := shells[*shell]
	switch {
	case !known:
		return fmt.Errorf("env: -shell is sh, fish or powershell, not %q: %w", *shell, errUsage)
	case *asJSON && *shell != "":
		return fmt.Errorf("env: -json or -shell, not both: %w", errUsage)
	case *asJSON:
		write = writeJSON
	}
	vars, err := t.variables(*chdir)
	if err != nil {
		return err
	}
	text, err := write(vars)
	if err != nil {
		return err
	}
	_, err = io.WriteString(t.stdout, text)
	return err
}

// variables are those under which plain go test uses the ordered runtime.
func (t *tool) variables(chdir string) ([][2]string, error) {
	ctx, stop := untilSignal()
	defer stop()
	g, err := gocmd.Find(ctx, chdir)
	if err != nil {
		return nil, err
	}
	flags, err := gocmd.SplitGOFLAGS(g.Setting("GOFLAGS"))
	if err != nil {
		return nil, err
	}
	theirs, others := gocmd.CutOverlay(flags)
	o, err := t.order(ctx, g, theirs)
	if err != nil {
		return nil, err
	}
	joined, err := gocmd.JoinGOFLAGS(append(others, "-overlay="+o.file))
	if err != nil {
		return nil, err
	}
	vars := [][2]string{{"GOFLAGS", joined}}
	if o.overlay.Copied {
		vars = append(vars, gocmd.Moved(o.overlay.GOROOT)...)
	}
	return vars, nil
}

// shells write variables so that a shell sets them; "" stands for no shell at all.
var shells = map[string]func([][2]string) (string, error){
	"":     writePlain,
	"sh":   statements("export %s='%s'\n", "'", `'\''`),
	"fish": statements("set -gx %s '%s'\n", `\`, `\\`, "'", `\'`),
	// PowerShell takes every one of these for a single quote.
	"powershell": statements("$env:%s = '%s'\n", "'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛"),
}

// statements writes one statement a variable. escapes are pairs of old and new, for
// what the shell does not take literally between the quotes.
func statements(format string, escapes ...string) func([][2]string) (string, error) {
	escape := strings.NewReplacer(escapes...)
	return func(vars [][2]string) (string, error) {
		var b strings.Builder
		for _, v := range vars {
			fmt.Fprintf(&b, format, v[0], escape.Replace(v[1]))
		}
		return b.String(), nil
	}
}

// writePlain is what the environment files of CI systems and of editors take.
func writePlain(vars [][2]string) (string, error) {
	var b strings.Builder
	for _, v := range vars {
		if strings.ContainsAny(v[1], "\r\n") {
			return "", fmt.Errorf("env: %s has more than one line, which -json and -shell can write", v[0])
		}
		fmt.Fprintf(&b, "%s=%s\n", v[0], v[1])
	}
	return b.String(), nil
}

func writeJSON(vars [][2]string) (string, error) {
	all := map[string]string{}
	for _, v := range slices.Backward(vars) {
		all[v[0]] = v[1]
	}
	text, err := json.MarshalIndent(all, "", "\t")
	return string(text) + "\n", err
}
