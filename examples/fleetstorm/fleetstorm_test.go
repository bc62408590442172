// Package fleetstorm_test lets a service slow down for a minute. Its clients give up and try again, which keeps it slow when it
// is well again: a retry storm. A client that throttles itself lets it recover.
package fleetstorm_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/shed"
)

// storm returns the share of requests that were answered in the last five minutes of ten.
func storm(q *qtests.T, throttled bool) (share float64) {
	f := fleet.NewT(q, fleet.Config{Replicas: 2, Capacity: fleet.Capacity{CPU: latency.Fixed(20 * time.Millisecond)}, New: func(*fleet.Instance) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	}})
	client := http.Client{Transport: f.Client().Transport, Timeout: time.Second}
	if throttled {
		throttle, err := shed.NewThrottle(shed.ThrottleConfig{Clock: q.Clock(), Rand: q.Rand("throttle").Float64, K: 1.2, Window: 30 * time.Second})
		if err != nil {
			q.Fatal(err)
		}
		client.Transport = throttle.RoundTripper(client.Transport)
	}
	asked, good, began := 0.0, 0.0, q.Elapsed()
	load.Run(q, load.Scenario{
		Traffic: traffic.Rate(70).For(10 * time.Minute), // of 100 a second that it can do
		Events:  []event.Event{f.Slow(fleet.Everyone(), 3).At(time.Minute).For(time.Minute)},
		Do: func(ctx context.Context, _ *load.User) (err error) {
			late := q.Elapsed()-began > 5*time.Minute
			for range 3 { // what clients do
				var resp *http.Response
				if resp, err = client.Get("http://shop/"); err == nil {
					err = resp.Body.Close()
					break
				}
			}
			if late {
				asked++
				if err == nil {
					good++
				}
			}
			return err
		},
	})
	q.Log("\n" + f.Picture())
	return good / asked
}

func TestStorm(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		bare, throttled := storm(q, false), storm(q, true)
		if bare > 0.2 || throttled < 0.99 {
			q.Error(fmt.Sprintf("the storm: %.2f answered; throttled: %.2f", bare, throttled))
		}
	})
}
