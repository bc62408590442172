//go:build unix

package ctrlc

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPress(t *testing.T) {
	pressed := make(chan os.Signal, 1)
	signal.Notify(pressed, os.Interrupt)
	defer signal.Stop(pressed)
	require.NoError(t, Press())
	require.Equal(t, os.Interrupt, <-pressed)
}

// ended is how a shell ends that sends itself a signal.
func ended(s string) syscall.WaitStatus {
	cmd := exec.Command("sh", "-c", "kill -"+s+" $$; exit 7")
	_ = cmd.Run() // its error is how it ended
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestHeeded(t *testing.T) {
	script := `trap "" INT HUP; exec "$0" -test.run=^TestInAProcessThatIgnores$ -test.v`
	out, err := exec.Command("sh", "-c", script, os.Args[0]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestInAProcessThatIgnores/HUP")
}

func TestInAProcessThatIgnores(t *testing.T) {
	if !signal.Ignored(os.Interrupt) || !signal.Ignored(syscall.SIGHUP) {
		t.Skip("TestHeeded runs it in such a process")
	}
	for name, s := range map[string]os.Signal{"INT": os.Interrupt, "HUP": syscall.SIGHUP} {
		require.Equal(t, 7, ended(name).ExitStatus(), name)
		t.Run(name, func(t *testing.T) {
			Heeded(t)
			require.Equal(t, s, ended(name).Signal())
		})
		require.Equal(t, 7, ended(name).ExitStatus(), "%s, and the subtest has ended", name)
	}
}
