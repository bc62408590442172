package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/store"
)

const usage = `qtests runs Go tests on the ordered runtime, where one seed is one order.

	go tool qtests test [flags of go test]   go test on the ordered runtime
	go tool qtests test -points [flags]      the same, and the turn may move at points of your own code
	go tool qtests find [flags] [packages]   searches for an order in which a test fails, and tells it
	go tool qtests merge [flags] dir         puts the parts of a run together, and judges the whole
	go tool qtests env [flags]               what to set so that plain go test does so
	go tool qtests doctor [flags]            which Go this is, and whether the changes fit it
	go tool qtests help                      this text

flags of find:    -run regexp, -seeds N or -for 30s, -p processes, -all, -explore pct|pos|random|fifo, -points=false, -o dir
flags of merge:   -o dir for the reports, by default merged in the directory of the parts
flags of env:     -json, or -shell sh, fish or powershell; without them lines of NAME=VALUE
flags of all:    -C dir, to work in that directory
QTESTS_CACHE      the directory in which qtests keeps what it has made

"go doc github.com/go-qtests/qtests/qtests/cmd/qtests" says more.
`

func main() { os.Exit(newTool(changes{}).run(os.Args[1:])) }

// tool is one run of this command.
type tool struct {
	patches        patches
	stdin          io.Reader
	stdout, stderr io.Writer
}

func newTool(p patches) *tool {
	return &tool{patches: p, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
}

// errUsage ends a run with the usage and the status 2.
var errUsage = errors.New("wrong usage")

func (t *tool) run(args []string) (status int) {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	var err error
	switch verb {
	case "test":
		status, err = t.test(args)
	case "find":
		status, err = t.find(args)
	case "merge":
		status, err = t.merge(args)
	case "env":
		err = t.env(args)
	case "doctor":
		status, err = t.doctor(args)
	case "help", "-h", "-help", "--help":
		_, err = io.WriteString(t.stdout, usage)
	case "":
		err = errUsage
	default:
		err = fmt.Errorf("%q is none of its commands: %w", verb, errUsage)
	}
	if err != nil {
		return t.fail(err)
	}
	return status
}

// fail says what is wrong, and returns the exit status. What the go command says of its
// own failures stays as it is.
func (t *tool) fail(err error) int {
	if failed, ok := errors.AsType[*gocmd.Failed](err); ok {
		_, _ = t.stderr.Write(failed.Output) // there is nobody else to tell
		return failed.Status
	}
	if errors.Is(err, errUsage) {
		if err != errUsage {
			t.say("%v", err)
		}
		fmt.Fprint(t.stderr, usage)
		return 2
	}
	t.say("%v", err)
	return 1
}

// say writes one line about qtests itself, to standard error alone: standard output
// belongs to go test.
func (t *tool) say(format string, args ...any) {
	fmt.Fprintf(t.stderr, "qtests: "+format+"\n", args...)
}

// orderedGo is the go command on the ordered runtime.
type orderedGo struct {
	*gocmd.Go
	store   *store.Store
	overlay *store.Overlay
	file    string // the overlay for -overlay, the user's own included
	theirs  string // the user's own, or ""
}

// source is the standard library of a Go.
func source(g *gocmd.Go) store.Source {
	return store.Source{Version: g.Setting("GOVERSION"), GOROOT: g.Setting("GOROOT"), Copy: g.InModuleCache()}
}

// order writes the overlay for a Go where it is not yet there. theirs is the user's own
// overlay, or "".
func (t *tool) order(ctx context.Context, g *gocmd.Go, theirs string) (*orderedGo, error) {
	s, err := store.Open()
	if err != nil {
		return nil, err
	}
	o, err := s.Overlay(ctx, source(g), t.patches)
	if err != nil {
		return nil, err
	}
	all := &orderedGo{Go: g, store: s, overlay: o, file: o.File, theirs: theirs}
	if o.Copied {
		all.Go = g.At(o.GOROOT)
	}
	if theirs == "" {
		return all, nil
	}
	dir, err := g.Dir()
	if err != nil {
		return nil, err
	}
	all.file, err = s.Merge(ctx, o, theirs, dir)
	return all, err
}

// test is the command of that name. It returns the status of the go command.
func (t *tool) test(args []string) (int, error) {
	args, withPoints := cutPoints(args)
	flags := gocmd.ParseTest(args)
	o, err := t.prepare(flags)
	if err != nil {
		return 0, err
	}
	if withPoints {
		if err := t.withPoints(context.Background(), o, flags, flags.Packages); err != nil {
			return 0, err
		}
	}
	return supervise(t.connected(o.Command(context.Background(), "test", append([]string{"-overlay=" + o.file}, flags.Args...)...)))
}

// connected gives a command the input and the output of the tool.
func (t *tool) connected(cmd *exec.Cmd) *exec.Cmd {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.stdin, t.stdout, t.stderr
	return cmd
}

// cutPoints takes the flag -points from the front of the arguments, where alone it is ours.
func cutPoints(args []string) ([]string, bool) {
	if len(args) > 0 && (args[0] == "-points" || args[0] == "--points") {
		return args[1:], true
	}
	return args, false
}

// prepare does everything that comes before go test. A signal ends it.
func (t *tool) prepare(flags gocmd.TestFlags) (*orderedGo, error) {
	ctx, stop := untilSignal()
	defer stop()
	o, err := t.prepareUntil(ctx, flags)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return o, err
}

func (t *tool) prepareUntil(ctx context.Context, flags gocmd.TestFlags) (*orderedGo, error) {
	g, err := gocmd.Find(ctx, flags.Chdir)
	if err != nil {
		return nil, err
	}
	o, err := t.order(ctx, g, theirs(flags, g.Setting("GOFLAGS")))
	if err != nil {
		return nil, err
	}
	if !flags.NoBuild {
		t.compile(ctx, o, flags.Build)
	}
	return o, nil
}

// theirs is the user's own overlay, or "": the one of the flags, or else of GOFLAGS. What is
// wrong with these the go command says.
func theirs(flags gocmd.TestFlags, goflags string) string {
	if flags.HasOverlay {
		return flags.Overlay
	}
	all, err := gocmd.SplitGOFLAGS(goflags)
	if err != nil {
		return ""
	}
	overlay, _ := gocmd.CutOverlay(all)
	return overlay
}
