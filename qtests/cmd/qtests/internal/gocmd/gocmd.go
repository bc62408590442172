// Package gocmd finds the go command of a directory, reads the command line of
// go test as the go command reads it, and reads and writes GOFLAGS.
//
// It has no state of its own: every function and method may be called from several
// goroutines.
package gocmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// places are the settings that say where the go command is, and where it keeps things.
var places = []string{"GOROOT", "GOVERSION", "GOTOOLCHAIN", "GOMODCACHE"}

// building are the settings that decide how the standard library is compiled, and where
// the result is.
var building = []string{
	"GOFLAGS", "GOCACHE", "GOOS", "GOARCH",
	"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
	"GOEXPERIMENT", "GOFIPS140", "CGO_ENABLED", "CC", "CXX", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS",
}

// Go is the go command of a directory, and what it says of itself.
type Go struct {
	// Path is the go command, absolute.
	Path string
	// Chdir is the value of the flag -C, or "" for the working directory.
	Chdir string
	// Env is the environment in which it runs, as in exec.Cmd.
	Env []string

	settings map[string]string
}

// Failed is the go command's own failure. Its output is for the user, unchanged.
type Failed struct {
	Output []byte // what it wrote to standard error
	Status int    // its exit status, never 0
}

// Error is what the go command wrote.
func (f *Failed) Error() string { return strings.TrimSpace(string(f.Output)) }

// Find asks the go command on the PATH of this process for its settings in chdir,
// as the flag -C of go test names it, or in the working directory when chdir is "".
// Another version that the go.mod there asks for answers in its place, as it does
// for go test. The error is a *Failed when the go command ran and failed.
func Find(ctx context.Context, chdir string) (*Go, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("the go command is not on the PATH: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	g := &Go{Path: path, Chdir: chdir, Env: os.Environ()}
	return g, g.ask(ctx)
}

func (g *Go) ask(ctx context.Context) error {
	out, err := g.Output(ctx, "env", slices.Concat([]string{"-json"}, places, building)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, &g.settings); err != nil {
		return fmt.Errorf("%s env -json: %w", g.Path, err)
	}
	for _, name := range []string{"GOROOT", "GOVERSION"} {
		if g.Setting(name) == "" {
			return fmt.Errorf("%s env %s says nothing", g.Path, name)
		}
	}
	return nil
}

// Setting is one of the values of go env that Find asks for, or "".
func (g *Go) Setting(name string) string { return g.settings[name] }

// Building lists the settings that decide how the standard library is compiled, and
// where the result is, as NAME=VALUE and in a fixed order.
func (g *Go) Building() []string {
	all := make([]string, len(building))
	for i, name := range building {
		all[i] = name + "=" + g.settings[name]
	}
	return all
}

// Dir is the directory in which the go command works, absolute: the working
// directory, moved by Chdir.
func (g *Go) Dir() (string, error) { return filepath.Abs(g.Chdir) }

// Command is a run of the go command with the given verb and arguments, in Dir.
func (g *Go) Command(ctx context.Context, verb string, args ...string) *exec.Cmd {
	all := []string{verb}
	if g.Chdir != "" {
		all = append(all, "-C", g.Chdir)
	}
	cmd := exec.CommandContext(ctx, g.Path, append(all, args...)...)
	cmd.Env = g.Env
	return cmd
}

// Output runs the go command and returns what it writes to standard output. The
// error is a *Failed when it ran and failed.
func (g *Go) Output(ctx context.Context, verb string, args ...string) ([]byte, error) {
	cmd := g.Command(ctx, verb, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return nil, &Failed{Output: stderr.Bytes(), Status: exit.ExitCode()}
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", g.Path, verb, err)
	}
	return out, nil
}

// InModuleCache reports whether GOROOT lies in the module cache, which is where the
// go command puts a toolchain that it downloads, and where no overlay may reach.
func (g *Go) InModuleCache() bool {
	return within(filepath.Clean(g.Setting("GOROOT")), filepath.Clean(g.Setting("GOMODCACHE")))
}

// within compares names, not files, as the go command does with an overlay.
func within(name, dir string) bool {
	if runtime.GOOS == "windows" {
		name, dir = strings.ToLower(name), strings.ToLower(dir)
	}
	return dir != "." && strings.HasPrefix(name, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// At is the same Go from a copy of its GOROOT: the variables of Moved are set in Env.
func (g *Go) At(goroot string) *Go {
	moved := *g
	moved.Path = filepath.Join(goroot, "bin", "go")
	if runtime.GOOS == "windows" {
		moved.Path += ".exe"
	}
	moved.Env = g.Env[:len(g.Env):len(g.Env)]
	for _, v := range Moved(goroot) {
		moved.Env = append(moved.Env, v[0]+"="+v[1])
	}
	moved.settings = maps.Clone(g.settings)
	moved.settings["GOROOT"] = goroot
	return &moved
}

// Moved lists the variables, name and value, that have go be the one of goroot.
// GOTOOLCHAIN is local, or the go command would look for its version elsewhere.
func Moved(goroot string) [][2]string {
	path := filepath.Join(goroot, "bin")
	if old := os.Getenv("PATH"); old != "" {
		path += string(filepath.ListSeparator) + old
	}
	return [][2]string{{"GOROOT", goroot}, {"GOTOOLCHAIN", "local"}, {"PATH", path}}
}
