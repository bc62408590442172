package stacks

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestProofsHold(t *testing.T) {
	require.Empty(t, findProofByLabel())
	synctest.Test(t, func(t *testing.T) { require.Empty(t, findProofInBubble()) })
	require.Contains(t, findProofInBubble(), "package time says that a goroutine is in a bubble: false; its header: false", "outside of bubbles")
}

func TestThisGoroutineRefuses(t *testing.T) {
	require.Contains(t, Unreadable([]byte("x")), "\nx")
	require.Equal(t, "goroutine 7 [running] <x>", string(headerIn([]byte("goroutine 71 [x]:\n\ngoroutine 7 [running] <x>\nmain.f()\n"), 7)))
	require.Contains(t, string(headerIn(nil, 7)), "no line")
}
