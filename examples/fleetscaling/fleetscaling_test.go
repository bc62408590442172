// Package fleetscaling_test puts an autoscaler of Kubernetes in front of a load that swings around its target. Without a
// window it starts and stops instances with every swing; its window steadies it.
package fleetscaling_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/section"
)

func ok(*fleet.Instance) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
}

// hour sends a load that rises and falls every four minutes.
func hour(q *qtests.T, down scale.Rules) *fleet.Fleet {
	hpa, err := scale.New(scale.HPA{Min: 2, Max: 20, Metrics: []scale.Metric{{Name: scale.CPU, Utilization: 50}}, Down: down})
	if err != nil {
		q.Fatal(err)
	}
	f := fleet.NewT(q, fleet.Config{
		New: ok, Replicas: 4, Capacity: fleet.Capacity{CPU: latency.Exponential(200 * time.Millisecond)},
		Life: fleet.Life{PreStop: 2 * time.Second}, Scaling: fleet.Scaling{By: hpa},
	})
	res := load.Run(q, load.Scenario{
		Traffic: traffic.Sine(10, 4, 4*time.Minute, time.Hour), Sections: []section.Source{f},
		Do: func(ctx context.Context, _ *load.User) error {
			resp, err := f.Client().Get("http://shop/")
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		},
	})
	sum, _ := f.ScalingSummary()
	q.Logf("%v; the report is %s\n%s", sum, res.SaveHTML(q), f.Picture())
	return f
}

func TestScaling(t *testing.T) {
	if testing.Short() {
		t.Skip("-short sends a tenth of the load, and the figures here are those of the whole")
	}
	qtests.Run(t, func(q *qtests.T) {
		flapping, _ := hour(q, scale.Rules{NoWindow: true}).ScalingSummary()
		if flapping.Flaps < 20 {
			q.Errorf("without a window it flaps: %v", flapping)
		}
		hour(q, scale.Rules{}).RequireFlaps(q, 2) // the default window is five minutes
	})
}
