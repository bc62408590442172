package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal is a pair of a terminal's two sides.
func terminal(t *testing.T) (keys, screen *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { keys.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { screen.Close() })
	return keys, screen
}

func TestKeysOfATerminalCountOnce(t *testing.T) {
	keys, screen := terminal(t)
	w := watch(t)
	w.Stdin, w.Stdout, w.Stderr = screen, screen, screen
	w.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	require.NoError(t, w.Start())
	w.until("begins")
	notes := []string{"begins"}
	for range 5 { // twice the same at once may be seen as one
		for key, name := range map[byte]string{3: "interrupt", 28: "quit"} { // Ctrl-C and Ctrl-\
			_, err := keys.Write([]byte{key})
			require.NoError(t, err)
			notes = append(notes, name)
			w.until(notes...)
		}
	}
	w.send(syscall.SIGTERM)
	require.Equal(t, 7, w.status())
	w.until(append(notes, "terminated")...)
}
