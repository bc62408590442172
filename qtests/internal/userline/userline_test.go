package userline

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

// A log is a test that has Output, or one that has not.
type log struct {
	lines []string
	out   *bytes.Buffer
}

func (l *log) Helper() {}
func (l *log) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

type logWithOutput struct{ log }

func (l *logWithOutput) Output() io.Writer { return l.out }

// deep calls f from the standard library.
func deep(f func()) {
	sort.Slice([]int{1, 2}, func(int, int) bool { f(); return false })
}

func TestOf(t *testing.T) {
	require.Regexp(t, `^userline_test\.go:\d+$`, Of(Stack()))
	deep(func() { require.Regexp(t, `^userline_test\.go:\d+$`, Of(Stack())) })
	line := make(chan string)
	go func() { line <- Of(Stack()) }()
	require.Regexp(t, `^userline_test\.go:\d+$`, <-line)
	require.Empty(t, Of(nil))
	require.Empty(t, Of(Stack()[2:]), "the testing package and the runtime")
}

func TestLogf(t *testing.T) {
	with := &logWithOutput{log{out: &bytes.Buffer{}}}
	deep(func() { Logf(with, "a %d", 1) })
	require.Equal(t, []string{"a 1"}, with.lines, "it may want to see it")
	before := OutputOfT
	t.Cleanup(func() { OutputOfT = before })
	OutputOfT = func(t any) io.Writer {
		if t, ok := t.(*logWithOutput); ok {
			return t.out
		}
		return nil
	}
	with.lines = nil
	deep(func() { Logf(with, "a %d\nb", 1) })
	require.Regexp(t, `^userline_test\.go:\d+: a 1\n    b\n$`, with.out.String())
	require.Empty(t, with.lines)
	without := &log{}
	Logf(without, "a %d", 1)
	require.Equal(t, []string{"a 1"}, without.lines)
}
