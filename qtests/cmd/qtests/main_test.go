package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/patch"
)

// roleVar has this test binary play another program: the tool with one change of no
// weight, the tool as it is, or a go command that writes down its signals.
const roleVar = "QTESTS_TEST_ROLE"

var roles = map[string]func() int{
	"leaf": func() int { return newTool(leaf{}).run(os.Args[1:]) },
	"real": func() int { return newTool(changes{}).run(os.Args[1:]) },
}

// shared is the store of the tests that are not about stores.
var shared string

// inPlainRun skips a test of processes that it starts where its own runtime is the ordered
// one, or has the race detector: they are the same processes there, and take long.
func inPlainRun(t *testing.T) {
	t.Helper()
	if ordered.Available() || ordered.Race {
		t.Skip("go test ./qtests/cmd/qtests starts the same processes")
	}
}

// inGate skips what takes long and what seldom breaks, except where the gate or make stress runs it.
func inGate(t *testing.T) {
	t.Helper()
	inPlainRun(t)
	if os.Getenv("QTESTS_GATE") == "" {
		t.Skip("QTESTS_GATE=1 runs it, as .ci/run does")
	}
}

func TestMain(m *testing.M) {
	if play := roles[os.Getenv(roleVar)]; play != nil {
		_ = os.Unsetenv(roleVar) // the tests that it runs have another role, or none
		os.Exit(play())
	}
	os.Exit(func() int {
		var err error
		if shared, err = os.MkdirTemp("", "qtests-store-"); err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(shared) }()
		return m.Run()
	}())
}

// leaf changes a package on which no other depends, so that little is compiled anew.
// QTESTS_LEAF makes it another change, and QTESTS_APPLIED is a file that counts.
type leaf struct{}

const leafFile = "container/ring/ring.go"

func (leaf) Revision() string { return "leaf" + os.Getenv("QTESTS_LEAF") }

func (leaf) Apply(goroot, version string) (map[string][]byte, error) {
	text, err := os.ReadFile(filepath.Join(goroot, "src", filepath.FromSlash(leafFile)))
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(text, []byte("func New(")) {
		return nil, &patch.Misfit{Version: version, File: leafFile, What: "func New", Err: errors.New("none fits")}
	}
	if name := os.Getenv("QTESTS_APPLIED"); name != "" {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString("x")
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	return map[string][]byte{
		leafFile:                  fmt.Appendf(text, "\n\n// Leaf is the change.\nconst Leaf = %q\n", os.Getenv("QTESTS_LEAF")),
		"container/ring/added.go": []byte("package ring\n\n// Added is in a file of its own.\nconst Added = true\n"),
	}, nil
}

func (l leaf) Places(goroot, version string) ([]patch.Place, error) {
	_, err := l.Apply(goroot, version)
	p := patch.Place{File: leafFile, What: "func New", Line: 36}
	if err != nil {
		p.Err = errors.New("none fits")
	}
	return []patch.Place{p, {File: "container/ring/added.go", What: "added"}}, err
}

// outcome is what a command did.
type outcome struct {
	status         int
	stdout, stderr string
}

// program is a run of this binary as the tool, or of the go command, in a module.
type program struct {
	dir   string
	env   []string
	stdin string
}

// at is a program in a directory, with the shared store and variables of its own.
func at(dir string, env ...string) program {
	return program{dir: dir, env: append([]string{"QTESTS_CACHE=" + shared}, env...)}
}

func (p program) command(name, role string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin = p.dir, strings.NewReader(p.stdin)
	cmd.Env = append(append(plainEnviron(), roleVar+"="+role), p.env...)
	return cmd
}

// plainEnviron is the environment without what is set for this run alone.
func plainEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "QTESTS_") || strings.HasPrefix(v, "GOFLAGS=")
	})
}

func finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (p program) qtests(t *testing.T, args ...string) outcome {
	t.Helper()
	return finish(t, p.command(os.Args[0], "leaf", args...))
}

func (p program) gocmd(t *testing.T, args ...string) outcome {
	t.Helper()
	return finish(t, p.command("go", "", args...))
}

// module writes a module of files by their names and texts.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "it's a module") // quotes and spaces on every path
	put(t, filepath.Join(dir, "go.mod"), "module example.com/m\n\ngo 1.26\n")
	for name, text := range files {
		put(t, filepath.Join(dir, name), text)
	}
	return dir
}

func put(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
}

// isLeaf is a test that does not compile without the change.
const isLeaf = `package m

import (
	"container/ring"
	"testing"
)

func TestLeaf(t *testing.T) { t.Log("leaf", ring.Leaf, ring.Added) }
`

// otherGOROOT is a GOROOT like the one of the go command in the PATH, in dir, with another
// text in one file.
func otherGOROOT(t *testing.T, dir, file, text string) string {
	t.Helper()
	goroot := strings.TrimSpace(program{}.gocmd(t, "env", "GOROOT").stdout)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	link := func(rel string, but string) {
		entries, err := os.ReadDir(filepath.Join(goroot, rel))
		require.NoError(t, err)
		for _, e := range entries {
			if e.Name() != but {
				require.NoError(t, os.Symlink(filepath.Join(goroot, rel, e.Name()), filepath.Join(dir, rel, e.Name())))
			}
		}
	}
	parts := strings.Split("src/"+file, "/")
	for i, part := range parts {
		rel := filepath.Join(parts[:i]...)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, rel), 0o755))
		link(rel, part)
	}
	put(t, filepath.Join(dir, "src", file), text)
	return dir
}

var times = regexp.MustCompile(`\d+\.\d+s|"(Time|Elapsed)":[^,}]*`)

// sameAs compares two outcomes without their times.
func sameAs(t *testing.T, want, got outcome, about string) {
	t.Helper()
	require.Equal(t, want.status, got.status, "%s:\n%s%s", about, got.stdout, got.stderr)
	require.Equal(t, times.ReplaceAllString(want.stdout, "T"), times.ReplaceAllString(got.stdout, "T"), about)
	require.Equal(t, times.ReplaceAllString(want.stderr, "T"), times.ReplaceAllString(got.stderr, "T"), about)
}

func TestUsage(t *testing.T) {
	for line, want := range map[string]outcome{
		"help":                {0, usage, ""},
		"--help":              {0, usage, ""},
		"":                    {2, "", usage},
		"tset":                {2, "", "qtests: \"tset\" is none of its commands: wrong usage\n" + usage},
		"env -x":              {2, "", "qtests: env: flag provided but not defined: -x: wrong usage\n" + usage},
		"env x":               {2, "", "qtests: env: takes no argument \"x\": wrong usage\n" + usage},
		"env -shell csh":      {2, "", "qtests: env: -shell is sh, fish or powershell, not \"csh\": wrong usage\n" + usage},
		"env -json -shell=sh": {2, "", "qtests: env: -json or -shell, not both: wrong usage\n" + usage},
		"doctor -json":        {2, "", "qtests: doctor: flag provided but not defined: -json: wrong usage\n" + usage},
	} {
		var stdout, stderr bytes.Buffer
		status := (&tool{patches: leaf{}, stdout: &stdout, stderr: &stderr}).run(strings.Fields(line))
		require.Equal(t, want, outcome{status, stdout.String(), stderr.String()}, line)
	}
}
