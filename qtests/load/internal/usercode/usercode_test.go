package usercode

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCauseOfAPanic(t *testing.T) {
	defer func() {
		err, exiting := Cause(recover())
		require.False(t, exiting)
		require.EqualError(t, err, "panic: boom")
		var p *Panic
		require.ErrorAs(t, err, &p)
		require.Equal(t, "boom", p.Value)
		require.Contains(t, p.Stack, "TestCauseOfAPanic")
		require.True(t, strings.HasPrefix(p.Report("the step"), "panic: boom, in the step\n"))
	}()
	panic("boom")
}

func TestCauseOfGoexit(t *testing.T) {
	err, exiting := Cause(nil)
	require.True(t, exiting)
	require.EqualError(t, err, "goexit: the step ended its goroutine (t.FailNow, require)")
}

func TestReportIsPrintable(t *testing.T) {
	require.Equal(t, `panic: \x1b[31m, in x`+"\n", (&Panic{Value: "\x1b[31m"}).Report("x"))
}
