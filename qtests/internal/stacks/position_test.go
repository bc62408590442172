package stacks

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

//go:noinline
func callerOf() Position { return UserCaller() }

// TestUserCaller: a line of a test is the user's; where the user has none on the stack, it is the library's that is not the
// runtime's, or none.
func TestUserCaller(t *testing.T) {
	require.Regexp(t, `/position_test\.go:\d+$`, callerOf().String())
	require.Equal(t, "/shop/f.go:7", Position{"/shop/f.go", 7}.String())

	got := make(chan Position, 1)
	tell := func() { got <- UserCaller() } // looks at who called it
	var once sync.Once
	go once.Do(tell)
	at := <-got
	require.Regexp(t, `sync/once\.go:\d+$`, at.String())
	go tell()
	require.Zero(t, <-got)
	time.AfterFunc(0, tell)
	at = <-got
	require.Equal(t, "a line of qtests", at.String())
}
