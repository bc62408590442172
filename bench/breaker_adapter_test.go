package bench

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

// The breakers of production code: one of gobreaker and one of failsafe-go. They
// are built by the constructors that main would call, which take what a test
// must be able to add: a hook.

func newPaymentsBreaker(hook func(name string, from, to gobreaker.State)) *gobreaker.CircuitBreaker[string] {
	return gobreaker.NewCircuitBreaker[string](gobreaker.Settings{
		Name:          "payments",
		Timeout:       30 * time.Second,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 5 },
		OnStateChange: hook,
	})
}

func newStockBreaker(hook func(circuitbreaker.StateChangedEvent)) circuitbreaker.CircuitBreaker[string] {
	return circuitbreaker.NewBuilder[string]().
		WithFailureThreshold(5).
		WithSuccessThreshold(1).
		WithDelay(30 * time.Second).
		OnStateChanged(hook).
		Build()
}

// The adapters: a breaker that records, fed from the hook.

var fromGobreaker = map[gobreaker.State]breaker.State{
	gobreaker.StateClosed: breaker.Closed, gobreaker.StateOpen: breaker.Open, gobreaker.StateHalfOpen: breaker.HalfOpen,
}

func recordGobreaker(rec *breaker.Breaker) func(string, gobreaker.State, gobreaker.State) {
	return func(_ string, _, to gobreaker.State) { rec.Record(fromGobreaker[to]) }
}

var fromFailsafe = map[circuitbreaker.State]breaker.State{
	circuitbreaker.ClosedState: breaker.Closed, circuitbreaker.OpenState: breaker.Open, circuitbreaker.HalfOpenState: breaker.HalfOpen,
}

func recordFailsafe(rec *breaker.Breaker) func(circuitbreaker.StateChangedEvent) {
	return func(e circuitbreaker.StateChangedEvent) { rec.Record(fromFailsafe[e.NewState]) }
}

// The scenario and its assertions, the same for every breaker.

type protectedCall func(upstream func() (string, error)) (string, error)

// survivesOutage calls an upstream every 7 seconds for an hour. It is
// down from 1:00 to 2:30.
func survivesOutage(q *qtests.T, call protectedCall, br *breaker.Breaker) {
	var down atomic.Bool // events run in goroutines of their own
	asked, answered := 0, 0
	outage := event.New("upstream: outage", func() { down.Store(true) }, func() { down.Store(false) })
	stop, err := event.Schedule(context.Background(), q.Clock(), q.EventLog(), outage.At(time.Minute).For(90*time.Second))
	if err != nil {
		tb.Fatalf(q, "%v", err)
	}
	defer func() {
		if err := stop(); err != nil {
			q.Error(err)
		}
	}()
	start := q.Clock().Now()
	for i := range 3600 / 7 {
		q.Clock().Sleep(q.Clock().Until(start.Add(time.Duration(i) * 7 * time.Second)))
		if _, err := call(func() (string, error) {
			asked++
			if down.Load() {
				return "", errors.New("upstream: down")
			}
			return "ok", nil
		}); err == nil {
			answered++
		}
	}
	// Calls fail at 63, 70, 77, 84 and 91 s, the probe at 126 s fails, that at
	// 161 s succeeds.
	br.RequireTransitions(q, breaker.Open.At(91*time.Second), breaker.HalfOpen,
		breaker.Open.At(126*time.Second), breaker.HalfOpen, breaker.Closed.At(161*time.Second))
	br.RequireState(q, breaker.Closed)
	if asked != 514-8 || answered != asked-6 {
		tb.Fatalf(q, "the upstream was asked %d times and answered %d", asked, answered)
	}
}

func TestGobreakerSurvivesOutage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		rec := breaker.NewT(q, breaker.Config{Name: "payments", Mode: breaker.Recording})
		payments := newPaymentsBreaker(recordGobreaker(rec))
		survivesOutage(q, payments.Execute, rec)
	})
}

func TestFailsafeSurvivesOutage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		rec := breaker.NewT(q, breaker.Config{Name: "stock", Mode: breaker.Recording})
		stock := failsafe.With(newStockBreaker(recordFailsafe(rec)))
		survivesOutage(q, func(up func() (string, error)) (string, error) { return stock.Get(up) }, rec)
	})
}

func TestOursSurvivesOutage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		br := breaker.NewT(q, breaker.Config{Name: "ours"})
		survivesOutage(q, func(up func() (string, error)) (string, error) {
			return breaker.Call(context.Background(), br, func(context.Context) (string, error) { return up() })
		}, br)
	})
}
