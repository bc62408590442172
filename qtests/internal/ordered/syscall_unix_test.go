//go:build unix

package ordered_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

//go:noinline
func readByte(fd int) error { _, err := syscall.Read(fd, make([]byte, 1)); return err }

// TestNobodyHasTheTurnBehindASystemCall: a system call takes so long that its goroutine loses the turn, and ends when all
// others wait for that goroutine. It takes the turn itself then, on its own stack, and that turn is recorded like any other.
func TestNobodyHasTheTurnBehindASystemCall(t *testing.T) {
	needsOrdered(t)
	var pipe [2]int
	require.NoError(t, syscall.Pipe(pipe[:]))
	var other, end atomic.Bool
	written := make(chan error)
	go func() {
		for !other.Load() && !end.Load() {
			runtime.Gosched()
		}
		time.Sleep(20 * time.Millisecond) // until the other one waits; the test would not fail where it does not
		_, err := syscall.Write(pipe[1], []byte("x"))
		written <- err
	}()
	events := ordered.NewEvents(1 << 8)
	inBubble(t, 1, events, func(t *testing.T) {
		defer end.Store(true)
		read, done := make(chan error), make(chan bool)
		go func() { other.Store(true); done <- <-read == nil }()
		read <- readByte(pipe[0])
		require.True(t, <-done)
	})
	require.NoError(t, <-written)
	require.NoError(t, syscall.Close(pipe[0]))
	require.NoError(t, syscall.Close(pipe[1]))
	within := 0
	for k := range events.Len() {
		if strings.Contains(ordered.Stack(events, k), "readByte") {
			within++
		}
	}
	require.Equal(t, 1, within, "the turn that it takes behind the call")
}
