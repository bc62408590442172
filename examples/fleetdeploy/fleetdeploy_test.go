// Package fleetdeploy_test rolls out a new version of a service twice: once as it is written at first, without a
// readiness probe, and once mended. The first deploy loses requests, the second none.
package fleetdeploy_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/rollout"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/section"
)

// shop is the code under test.
func shop(*fleet.Instance) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("hello")) })
	return mux
}

// deploy puts v2 in the place of v1, under 50 requests a second.
func deploy(q *qtests.T, life fleet.Life) *fleet.Fleet {
	f := fleet.NewT(q, fleet.Config{Name: "shop", New: shop, Replicas: 4, Life: life})
	res := load.Run(q, load.Scenario{
		Traffic: traffic.Rate(50).For(4 * time.Minute), Sections: []section.Source{f},
		Events: []event.Event{f.Deploy(fleet.Release{Version: "v2"}, rollout.Update{}).At(time.Minute)},
		Do: func(ctx context.Context, _ *load.User) error {
			resp, err := f.Client().Get("http://shop/")
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		},
	})
	f.RequireDeployed(q, "v2")
	q.Logf("the report is %s\n%s", res.SaveHTML(q), f.Picture())
	return f
}

func TestDeploy(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		starts := latency.Fixed(15 * time.Second)
		first := deploy(q, fleet.Life{StartUp: starts})
		if first.Stats().Requests.Lost() == 0 {
			q.Error("a deploy that does not ask for readiness loses requests")
		}
		mended := deploy(q, fleet.Life{StartUp: starts, Readiness: fleet.Probe{Path: "/ready", Period: time.Second}, PreStop: 2 * time.Second})
		mended.RequireNothingLost(q)
	})
}
