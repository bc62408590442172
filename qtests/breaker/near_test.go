package breaker_test

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestTransitionsNearAnInstant(t *testing.T) {
	mock := clock.NewMock()
	b, err := breaker.New(breaker.Config{Clock: mock, FailureThreshold: 1})
	require.NoError(t, err)
	mock.Add(20 * time.Second)
	b.Trip()
	for tolerance, want := range map[time.Duration]string{
		time.Second: "", 2 * time.Second: "", 999 * time.Millisecond: "transition 0 is to open at 20s, want open at 19s ± 999ms", -1: "want open at 19s\n", 0: "want open at 19s\n",
	} {
		rec := tbtest.Run("near", func(t *tbtest.TB) {
			b.RequireTransitions(t, breaker.Open.Near(19*time.Second, tolerance))
			b.RequireTransitionsInclude(t, breaker.Open.Near(21*time.Second, tolerance))
		})
		require.Equal(t, want != "", rec.Failed(), "%v: %s", tolerance, rec.Errors())
		require.Contains(t, rec.Errors(), want)
	}
}
