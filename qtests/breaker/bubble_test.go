package breaker_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
)

// A client that polls every second through a breaker while its upstream is down
// for 90 seconds: every instant follows from the configuration.
func TestInABubble(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		b := breaker.NewT(q, breaker.Config{Name: "upstream", FailureThreshold: 5, ResetTimeout: 30 * time.Second})
		var down atomic.Bool
		srv := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if down.Load() {
				w.WriteHeader(http.StatusBadGateway)
			}
		}))
		outage := event.New("upstream: outage", func() { down.Store(true) }, func() { down.Store(false) })
		stop, err := event.Schedule(t.Context(), q.Clock(), q.EventLog(), outage.At(20*time.Second-1).For(90*time.Second))
		require.NoError(q, err)
		for range 300 {
			_ = b.Do(context.Background(), func(context.Context) error {
				resp, err := srv.Client().Get(srv.URL)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					return errors.New(resp.Status)
				}
				return nil
			})
			q.Sleep(time.Second)
		}
		require.NoError(q, stop())
		b.RequireTransitions(q,
			breaker.Open.At(24*time.Second), breaker.HalfOpen.At(54*time.Second), breaker.Open.At(54*time.Second),
			breaker.HalfOpen.At(84*time.Second), breaker.Open.At(84*time.Second),
			breaker.HalfOpen.At(114*time.Second), breaker.Closed.At(114*time.Second))
		b.RequireRejected(q, 29*3)
		marks, _ := q.EventLog().Marks()
		require.Len(q, marks, 2+7)
	})
}

// Twenty callers contend for three probes at one instant: the outcome is the
// same in every run.
func TestBubbleIsRepeatable(t *testing.T) {
	run := func(t *testing.T) (order []int) {
		qtests.Run(t, func(q *qtests.T) {
			b := breaker.NewT(q, breaker.Config{ResetTimeout: time.Second, Probes: 3})
			b.Trip()
			for i := range 20 {
				q.Clock().AfterFunc(time.Second, func() {
					_ = b.Do(context.Background(), func(context.Context) error {
						order = append(order, i)
						q.Clock().Sleep(time.Millisecond)
						return nil
					})
				})
			}
			q.Sleep(2 * time.Second)
			b.RequireTransitions(q, breaker.Open, breaker.HalfOpen.At(time.Second), breaker.Closed.At(time.Second+time.Millisecond))
		})
		return order
	}
	for range 20 {
		t.Run("", func(t *testing.T) { require.Equal(t, []int{0, 1, 2}, run(t)) })
	}
}

// A breaker made outside, as a variable of a package is, has no time inside: it says so.
func TestMadeOutsideSaysSo(t *testing.T) {
	b, err := breaker.New(breaker.Config{Name: "upstream", FailureThreshold: 1, ResetTimeout: time.Second})
	require.NoError(t, err)
	call := func() error { return b.Do(context.Background(), func(context.Context) error { return nil }) }
	b.Trip()
	err = call()
	require.ErrorIs(t, err, breaker.ErrOpen)
	require.NotContains(t, err.Error(), "outside")
	qtests.Run(t, func(q *qtests.T) {
		q.Sleep(time.Hour)
		err := call()
		require.ErrorIs(q, err, breaker.ErrOpen)
		require.EqualError(q, err, `breaker: open: "upstream": tripped; this breaker was made outside the bubble, decades after the bubble's time, so that it stays open for ever: make it inside, with the clock of q`)
		b.SetMode(breaker.ForcedOpen)
		require.NotContains(q, call().Error(), "outside", "it is no wonder")
	})
}
