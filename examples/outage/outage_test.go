// Package outage_test takes away what a service depends on, for two minutes of a
// quarter of an hour, and looks at what its callers and its breaker saw.
package outage_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
)

// A shop asks a payment service, behind a circuit breaker. It is the code under test.
type shop struct {
	client *http.Client
	pay    *breaker.Breaker
}

func (s shop) checkout(ctx context.Context) error {
	return s.pay.Do(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pay.internal/charge", nil)
		if err != nil {
			return err
		}
		resp, err := s.client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	})
}

func TestOutage(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		pay := fakehttp.NewT(q, fakehttp.Config{Name: "pay", Latency: latency.Fixed(40 * time.Millisecond)})
		pay.On("POST", "/charge", httpmock.NewStringResponder(200, "ok"))
		s := shop{pay.Client(), breaker.NewT(q, breaker.Config{Name: "pay", ResetTimeout: 30 * time.Second})}
		load.Run(q, load.Scenario{
			Traffic:    traffic.Rate(20).For(15 * time.Minute),
			Do:         func(ctx context.Context, _ *load.User) error { return s.checkout(ctx) },
			Events:     []event.Event{pay.Outage().At(5 * time.Minute).For(2 * time.Minute)},
			Thresholds: []string{"errors<20%", "p(99)<100ms", "dropped==0"}, // it fails fast, and comes back
		})
		s.pay.RequireTransitionsInclude(q, breaker.Open, breaker.HalfOpen, breaker.Closed)
	})
}
