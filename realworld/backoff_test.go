package realworld

import (
	"fmt"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/go-qtests/qtests/qtests"
)

// Retries with the default jitter, which draws from math/rand/v2.
func TestBackoff(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		load(log, func(i int) string {
			tries := 0
			took, err := backoff.Retry(q.Context(), func() (time.Duration, error) {
				tries++
				return call(q.Context(), log)
			}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(20*time.Second))
			return fmt.Sprintf("%v %v after %d tries", took, err, tries)
		})
	})
}
