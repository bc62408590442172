package realworld

import (
	"fmt"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/sony/gobreaker/v2"

	"github.com/go-qtests/qtests/qtests"
)

// A breaker that opens, and lets the trials through which come first when it is half open.
func TestGobreaker(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		breaker := gobreaker.NewCircuitBreaker[time.Duration](gobreaker.Settings{
			MaxRequests: 2,
			Interval:    30 * time.Second,
			Timeout:     5 * time.Second,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.Requests >= 5 && 2*c.TotalFailures > c.Requests },
			OnStateChange: func(_ string, from, to gobreaker.State) {
				log.Addf("%v to %v", from, to)
			},
		})
		load(log, func(int) string {
			took, err := breaker.Execute(func() (time.Duration, error) { return call(q.Context(), log) })
			return fmt.Sprintf("%v %v %+v", took, err, breaker.Counts())
		})
	})
}

// Retries with jitter around a breaker, a bulkhead, hedges and a timeout.
func TestFailsafe(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		breaker := circuitbreaker.NewBuilder[time.Duration]().
			WithFailureThresholdRatio(5, 10).WithDelay(5 * time.Second).
			OnStateChanged(func(e circuitbreaker.StateChangedEvent) { log.Addf("%v to %v", e.OldState, e.NewState) }).
			Build()
		retries := retrypolicy.NewBuilder[time.Duration]().
			WithBackoff(100*time.Millisecond, 5*time.Second).WithJitterFactor(0.3).WithMaxRetries(4).
			OnRetry(func(e failsafe.ExecutionEvent[time.Duration]) { log.Addf("retry %d", e.Retries()) }).
			Build()
		policies := failsafe.With[time.Duration](
			retries, breaker, bulkhead.New[time.Duration](3),
			timeout.New[time.Duration](90*time.Millisecond),
			hedgepolicy.NewWithDelay[time.Duration](60*time.Millisecond),
		).WithContext(q.Context())
		load(log, func(int) string {
			took, err := policies.GetWithExecution(func(e failsafe.Execution[time.Duration]) (time.Duration, error) {
				return call(e.Context(), log)
			})
			return fmt.Sprintf("%v %v", took, err)
		})
		time.Sleep(time.Second) // until the hedges have ended
	})
}
