package callback

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestInside(t *testing.T) {
	require.False(t, Inside())
	Run(func() error {
		require.True(t, Inside())
		require.True(t, deep(200), "however far below")
		return nil
	}, func(err error) {
		require.NoError(t, err)
		require.False(t, Inside(), "end is not the user's function")
	})
	require.False(t, Inside())
}

// deep asks from below n frames more.
//
//go:noinline
func deep(n int) bool {
	if n == 0 {
		return Inside()
	}
	return deep(n - 1)
}

func TestInsideKnowsItsOwnGoroutineOnly(t *testing.T) {
	inside := make(chan bool)
	Run(func() error {
		go func() { inside <- Inside() }()
		require.False(t, <-inside)
		return nil
	}, func(error) {})
}

func TestRunHandsTheErrorOn(t *testing.T) {
	refused := errors.New("refused")
	Run(func() error { return refused }, func(err error) { require.Same(t, refused, err) })
	Run(func() error { panic("oops") }, func(err error) { require.EqualError(t, err, "panic: oops") })
}
