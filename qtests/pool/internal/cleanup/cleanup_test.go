package cleanup

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func untilItEnds(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestCloseWaitsForTheTimeoutOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.Equal(t, context.DeadlineExceeded, Close(clock.New(), untilItEnds))
		require.Equal(t, Timeout, time.Since(start))
		require.Equal(t, context.DeadlineExceeded, Close(clock.NewMock(), untilItEnds), "a mock clock would never end it")
		require.Equal(t, 2*Timeout, time.Since(start))
	})
}

func TestAtOnceDoesNotWait(t *testing.T) {
	called := false
	AtOnce(func(ctx context.Context) error { called = true; return untilItEnds(ctx) })
	require.True(t, called)
}
