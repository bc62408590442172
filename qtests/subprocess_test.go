package qtests

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// runChild runs one test of this binary in a process of its own, so that it may
// fail, hang or die, and returns what it printed and whether it passed.
func runChild(t *testing.T, name string, args ...string) (output string, passed bool) {
	t.Helper()
	return outputOf(t, childCommand(name, args...), func(cmd *exec.Cmd) ([]byte, error) { return cmd.CombinedOutput() })
}

// runChildUntilItSays is runChild. The child's standard input ends when it has printed
// word, so that it can wait for its own output instead of for a time.
func runChildUntilItSays(t *testing.T, word, name string, args ...string) (output string, passed bool) {
	t.Helper()
	return outputOf(t, childCommand(name, args...), func(cmd *exec.Cmd) ([]byte, error) {
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out := signalAt{word: word, said: func() { _ = in.Close() }}
		cmd.Stdout, cmd.Stderr = &out, &out
		err = cmd.Run()
		return out.buf.Bytes(), err
	})
}

// signalAt is a buffer that calls said when word is in it.
type signalAt struct {
	buf  bytes.Buffer // not embedded: io.Copy would use its ReadFrom instead of Write
	word string
	said func()
}

func (b *signalAt) Write(p []byte) (int, error) {
	n, err := b.buf.Write(p)
	if strings.Contains(b.buf.String(), b.word) {
		b.said()
	}
	return n, err
}

func childCommand(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=" + name, "-test.v", "-test.timeout=60s"}, args...)...)
	cmd.Env = append(plainEnviron(), "QTESTS_CHILD=1", os.Getenv("CHILD_ENV"))
	return cmd
}

func outputOf(t *testing.T, cmd *exec.Cmd, run func(cmd *exec.Cmd) ([]byte, error)) (output string, passed bool) {
	t.Helper()
	out, err := run(cmd)
	if err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	t.Logf("%s prints:\n%s", strings.Join(cmd.Args[1:], " "), out)
	return string(out), err == nil
}

// plainEnviron is the environment without the settings of this run, which are
// not the child's; CHILD_ENV holds one that is.
func plainEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "QTESTS_") })
}

// child skips a test that exists to be run by runChild.
func child(t *testing.T) {
	t.Helper()
	if os.Getenv("QTESTS_CHILD") == "" {
		t.Skip("runs in a process of its own, started by other tests")
	}
}

// neighbour is a test that passes; those before it must not take it along.
func neighbour(t *testing.T) { Run(t, func(q *T) { q.Sleep(1) }) }
