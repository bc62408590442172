//go:build unix

package qtests

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:noinline
func readPipe(fd int) error { _, err := syscall.Read(fd, make([]byte, 1)); return err }

// TestDisturbedByASystemCall reads a pipe, to which nobody writes before the goroutine
// that waits for the turn has got it.
func TestDisturbedByASystemCall(t *testing.T) {
	onOrdered(t)
	var pipe [2]int
	require.NoError(t, syscall.Pipe(pipe[:]))
	var other, end atomic.Bool
	written := make(chan error)
	go func() {
		for !other.Load() && !end.Load() {
			runtime.Gosched()
		}
		_, err := syscall.Write(pipe[1], []byte("x"))
		written <- err
	}()
	o := orderAfter(t, func(q *T) {
		defer end.Store(true)
		go other.Store(true)
		require.NoError(q, readPipe(pipe[0]))
		require.True(q, other.Load())
	})
	require.NoError(t, <-written)
	requireDisturbed(t, o, "in a system call or a call of C for more than 100ms", lineOf(readPipe))
	require.EqualValues(t, 1, o.Disturbances)
	require.NoError(t, syscall.Close(pipe[0]))
	require.NoError(t, syscall.Close(pipe[1]))
}
