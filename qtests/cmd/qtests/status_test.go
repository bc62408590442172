//go:build unix && !aix && !solaris

package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ctrlc"
)

// TestStatusOfTheCommand: it is the command's own, and 128 more than the signal that ended it.
func TestStatusOfTheCommand(t *testing.T) {
	for script, want := range map[string]outcome{
		"exit 0": {0, "", ""}, "cat; echo no >&2; exit 7": {7, "in", "no\n"}, "kill -KILL $$": {128 + int(syscall.SIGKILL), "", ""}, "kill -TERM $$": {128 + int(syscall.SIGTERM), "", ""},
	} {
		var stdout, stderr bytes.Buffer
		made := &tool{stdin: strings.NewReader("in"), stdout: &stdout, stderr: &stderr}
		status, err := supervise(made.connected(exec.Command("sh", "-c", script)))
		require.NoError(t, err)
		require.Equal(t, want, outcome{status, stdout.String(), stderr.String()}, script)
	}
	_, err := supervise(exec.Command(filepath.Join(t.TempDir(), "none")))
	require.ErrorContains(t, err, "none")
}

// TestAnInterruptComesFirst: a command that heeds an interrupt may end by itself.
func TestAnInterruptComesFirst(t *testing.T) {
	ctrlc.Heeded(t)
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", `trap "exit 3" INT; echo ready; while :; do sleep 0.01; done`)
	gently(cmd)
	out := &waitFor{text: "ready", seen: make(chan bool)}
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	<-out.seen
	stop()
	require.Error(t, cmd.Wait())
	require.Equal(t, 3, cmd.ProcessState.ExitCode())
}
