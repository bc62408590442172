// Package fleetstorm_test slows a service down. Clients try again, which keeps it down; those that throttle themselves do not.
package fleetstorm_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/section"
	"github.com/go-qtests/qtests/qtests/shed"
)

func shop(*fleet.Instance) http.Handler { return http.NotFoundHandler() }

// storm returns the share of requests that were answered in the last two minutes of ten.
func storm(q *qtests.T, throttled bool) (share float64) {
	f := fleet.NewT(q, fleet.Config{New: shop, Replicas: 2, Capacity: fleet.Capacity{CPU: latency.Fixed(40 * time.Millisecond)}})
	client := http.Client{Transport: f.Client().Transport, Timeout: time.Second}
	if throttled {
		throttle, err := shed.NewThrottle(shed.ThrottleConfig{Clock: q.Clock(), Rand: q.Rand("throttle").Float64, Window: 30 * time.Second})
		if err != nil {
			q.Fatal(err)
		}
		client.Transport = throttle.RoundTripper(client.Transport)
	}
	began, good := q.Elapsed(), 0.0
	res := load.Run(q, load.Scenario{
		Traffic:  traffic.Rate(35).For(10 * time.Minute), // of 50 a second that it can do
		Sections: []section.Source{f}, Events: []event.Event{f.Slow(fleet.Everyone(), 3).At(time.Minute).For(time.Minute)},
		Do: func(ctx context.Context, _ *load.User) (err error) {
			var resp *http.Response
			for try := 0; try == 0 || err != nil && try < 3; try++ { // what clients do
				if resp, err = client.Get("http://shop/"); err == nil {
					err = resp.Body.Close()
				}
			}
			if q.Elapsed()-began > 8*time.Minute && err == nil {
				good++
			}
			return err
		},
	})
	q.Logf("the report is %s\n%s", res.SaveHTML(q), f.Picture())
	return good / (35 * 120)
}

func TestStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("-short sends a tenth of the load, and the figures here are those of the whole")
	}
	qtests.Run(t, func(q *qtests.T) {
		if bare, throttled := storm(q, false), storm(q, true); bare > 0.2 || throttled < 0.99 {
			q.Errorf("in the storm %.2f are answered, and throttled %.2f", bare, throttled)
		}
	})
}
