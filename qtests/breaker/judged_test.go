package breaker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

func TestCallJudged(t *testing.T) {
	errBusy := errors.New("busy")
	judge := func(status int, err error) error {
		switch {
		case err != nil:
			return nil // whatever it was
		case status == 503:
			return retryAfter{time.Minute}
		case status == 429:
			return errBusy
		}
		return nil
	}
	cfg := breaker.Config{FailureThreshold: 1, OpenFor: openFor, Ignore: func(err error) bool { return errors.Is(err, errBusy) }}
	for _, tc := range []struct {
		status int
		err    error
		want   string
	}{
		{200, nil, oneSuccess}, {503, nil, oneFailure}, {429, nil, oneIgnored}, {0, errDown, oneSuccess},
	} {
		b, _ := newBreaker(t, cfg)
		status, err := breaker.CallJudged(ctx, b, func(got context.Context) (int, error) {
			require.Equal(t, ctx, got)
			return tc.status, tc.err
		}, judge)
		require.Equal(t, tc.status, status, "the caller gets the result as it is")
		require.Equal(t, tc.err, err)
		require.Equal(t, tc.want, tally(b))
		if tc.status == 503 {
			require.Equal(t, time.Minute, b.Stats().RetryAfter, "OpenFor sees what the judge said")
			status, err = breaker.CallJudged(ctx, b, func(context.Context) (int, error) { t.Error("called"); return 1, nil }, judge)
			require.Zero(t, status)
			require.ErrorIs(t, err, breaker.ErrOpen)
		}
	}
}

// The caller's cancellation is ignored if the judge passes it on.
func TestCallJudgedAndCancellation(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	gone, cancel := context.WithCancel(ctx)
	cancel()
	call := func(ctx context.Context) (string, error) { return "", ctx.Err() }
	_, err := breaker.CallJudged(gone, b, call, func(_ string, err error) error { return err })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, oneIgnored, tally(b))
}

func TestJudgeThatPanicsCountsAsFailure(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	require.PanicsWithValue(t, "mine", func() {
		_, _ = breaker.CallJudged(ctx, b, func(context.Context) (int, error) { return 1, nil }, func(int, error) error { panic("mine") })
	})
	require.Equal(t, oneFailure, tally(b))
}
