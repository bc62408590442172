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

// TestHeeded runs itself once more, in a process that was started to ignore the signals.
func TestHeeded(t *testing.T) {
	const child = "CTRLC_TEST_CHILD"
	if os.Getenv(child) == "" {
		cmd := exec.Command("sh", "-c", `trap "" INT HUP; exec "$0" -test.run=^TestHeeded$ -test.v`, os.Args[0])
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestHeeded/HUP")
		return
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
