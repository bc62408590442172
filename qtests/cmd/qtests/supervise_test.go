//go:build unix && !aix && !solaris

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-qtests/qtests/qtests/internal/ctrlc"
)

func init() { roles["go"] = playGo }

const notesVar = "QTESTS_TEST_NOTES"

// playGo is a go command whose tests last until a SIGTERM, and that writes down which
// signals come; with -echo they print their input. Everything else it leaves to the go command that comes next in the PATH.
func playGo() int {
	if len(os.Args) < 2 || os.Args[1] != "test" {
		path := os.Getenv("PATH")
		_, rest, _ := strings.Cut(path, string(filepath.ListSeparator))
		_ = os.Setenv("PATH", rest)
		cmd := exec.Command("go", os.Args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if cmd.Run() != nil {
			return 1
		}
		return 0
	}
	if slices.Contains(os.Args, "-echo") {
		if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
			return 1
		}
		return 0
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, passedOn...)
	note("begins")
	for s := range signals {
		note(s.String())
		if s == syscall.SIGTERM {
			break
		}
		if s == syscall.SIGHUP {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	return 7
}

func note(what string) {
	f, err := os.OpenFile(os.Getenv(notesVar), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, what)
}

// watched is a run of the tool over playGo.
type watched struct {
	t     *testing.T
	notes string
	*exec.Cmd
}

func watch(t *testing.T, args ...string) *watched {
	inPlainRun(t)
	ctrlc.Heeded(t)
	temp := t.TempDir()
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	// A script, because the go command has another role than the tool.
	put(t, filepath.Join(temp, "bin", "go"), "#!/bin/sh\n"+roleVar+"=go exec '"+self+"' \"$@\"\n")
	require.NoError(t, os.Chmod(filepath.Join(temp, "bin", "go"), 0o755))
	w := &watched{t: t, notes: filepath.Join(temp, "notes")}
	// With a GOROOT in the module cache the go command of its copy would run.
	p := at(module(t, nil), "GOMODCACHE="+filepath.Join(temp, "mod"), notesVar+"="+w.notes, "PATH="+filepath.Join(temp, "bin")+":"+os.Getenv("PATH"))
	compiled(t)
	w.Cmd = p.command(os.Args[0], "leaf", append([]string{"test"}, args...)...)
	w.Stdin, w.Stderr = nil, os.Stderr
	w.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal, and a process group
	t.Cleanup(func() {
		if w.Process != nil && w.ProcessState == nil { // the test has given up on it
			_ = syscall.Kill(-w.Process.Pid, syscall.SIGKILL)
		}
	})
	return w
}

var compileOnce sync.Once

// compiled sees to it that the standard library is compiled in the shared store: the first run of the tool says that it
// compiles it, and takes a minute where Go's cache is empty.
func compiled(t *testing.T) {
	compileOnce.Do(func() {
		got := at(module(t, map[string]string{"m.go": "package m\n"})).qtests(t, "test", ".")
		require.Equal(t, 0, got.status, got.stderr)
	})
}

// until waits for the notes to be these, and fails at once when there are more.
func (w *watched) until(want ...string) {
	w.t.Helper()
	for range 3000 {
		text, _ := os.ReadFile(w.notes)
		got := strings.Fields(string(text))
		if strings.Join(got, " ") == strings.Join(want, " ") {
			return
		}
		require.LessOrEqual(w.t, len(got), len(want), "%q", got)
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("no %q", want)
}

func (w *watched) send(s syscall.Signal) { require.NoError(w.t, w.Process.Signal(s)) }

// status waits for the end, which a limit of real time brings about where nothing else
// does: a hanging test would leave its processes behind.
func (w *watched) status() int {
	limit := time.AfterFunc(time.Minute, func() {
		w.t.Error("it does not end")
		_ = syscall.Kill(-w.Process.Pid, syscall.SIGKILL)
	})
	defer limit.Stop()
	if err := w.Wait(); err != nil {
		require.IsType(w.t, &exec.ExitError{}, err)
	}
	return w.ProcessState.ExitCode()
}

func TestSignalsArePassedOnOnce(t *testing.T) {
	w := watch(t)
	require.NoError(t, w.Start())
	w.until("begins")
	w.send(syscall.SIGINT)
	w.until("begins", "interrupt")
	w.send(syscall.SIGQUIT)
	w.until("begins", "interrupt", "quit")
	w.send(syscall.SIGINT)
	w.until("begins", "interrupt", "quit", "interrupt")
	w.send(syscall.SIGTERM)
	require.Equal(t, 7, w.status(), "the exit status of the go command")
	w.until("begins", "interrupt", "quit", "interrupt", "terminated")
}

// What this process was started to ignore, as by nohup, the go command ignores.
func TestIgnoredSignals(t *testing.T) {
	w := watch(t)
	w.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh"}, w.Args...)
	w.Path = "/bin/sh"
	require.NoError(t, w.Start())
	w.until("begins")
	w.send(syscall.SIGHUP)
	w.send(syscall.SIGINT)
	w.until("begins", "interrupt")
	w.send(syscall.SIGTERM)
	require.Equal(t, 7, w.status())
	w.until("begins", "interrupt", "terminated")
}

func TestInputIsPassedOn(t *testing.T) {
	w := watch(t, "-echo")
	w.Stdin = strings.NewReader("passed on")
	require.Equal(t, outcome{0, "passed on", ""}, finish(t, w.Cmd))
}

func TestGoEndedBySignal(t *testing.T) {
	w := watch(t)
	require.NoError(t, w.Start())
	w.until("begins")
	w.send(syscall.SIGHUP)
	require.Equal(t, 128+int(syscall.SIGKILL), w.status())
}

// An interrupt while the tool prepares ends it, and no test begins.
func TestSignalWhileCompiling(t *testing.T) {
	w := watch(t)
	store := filepath.Join(t.TempDir(), "store")
	w.Env = append(w.Env, "QTESTS_CACHE="+store)
	// The lock that it waits for says how far it is.
	put(t, filepath.Join(store, "std.lock"), "")
	held, err := os.OpenFile(filepath.Join(store, "std.lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(held.Fd()), unix.LOCK_EX))
	out := &waitFor{text: "waiting for another process", seen: make(chan bool)}
	w.Stderr = out
	require.NoError(t, w.Start())
	<-out.seen
	w.send(syscall.SIGINT)
	require.Equal(t, 1, w.status())
	require.NoError(t, held.Close())
	require.Contains(t, out.all.String(), "qtests: interrupt signal received\n")
	require.NoFileExists(t, w.notes)
}

// waitFor is a writer that tells when a text has come.
type waitFor struct {
	text string
	seen chan bool
	all  strings.Builder
}

func (w *waitFor) Write(b []byte) (int, error) {
	before := strings.Contains(w.all.String(), w.text)
	w.all.Write(b)
	if !before && strings.Contains(w.all.String(), w.text) {
		close(w.seen)
	}
	return len(b), nil
}
