package turns

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func has(t Turn) bool {
	select {
	case <-t:
		return true
	default:
		return false
	}
}

func TestTurnsGoRound(t *testing.T) {
	settled := 0
	q := New(func() { settled++ })
	a, b, c := make(Turn), make(Turn), make(Turn)
	q.Enter(a, b)
	require.Equal(t, []bool{true, false}, []bool{has(a), has(b)}, "nobody had the turn, so the first has it")
	q.Enter(c)
	require.False(t, q.takeFree(), "somebody has the turn")
	q.Leave()
	require.Equal(t, []bool{true, false}, []bool{has(b), has(c)})
	q.Leave()
	require.True(t, has(c))
	q.Leave()
	require.True(t, q.takeFree())
	require.False(t, q.takeFree())
	require.Zero(t, settled)
	q.Settle()
	require.Equal(t, 1, settled)
}
