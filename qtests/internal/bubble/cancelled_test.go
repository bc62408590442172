package bubble_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
)

func TestCancelledWaitsAreForgotten(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		for range 10_000 {
			_, cancel := q.Clock().WithTimeout(q.Context(), time.Hour)
			cancel()
		}
		require.Zero(q, q.ClockStats().Pending)
		if n, ok := bubble.Lapsing(q.Clock()); ok {
			require.LessOrEqual(q, n, 65)
		}
	})
}
