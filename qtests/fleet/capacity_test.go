package fleet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/search"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// ask is what a user of a scenario does.
func ask(f *fleet.Fleet) func(context.Context, *load.User) error {
	return func(_ context.Context, _ *load.User) error {
		_, status, err := get(f.Client(), "/")
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		return err
	}
}

// shopOf is a fleet of n instances of one processor, 20 ms for each request.
func shopOf(q *qtests.T, n int) *fleet.Fleet {
	return fleet.NewT(q, fleet.Config{
		New: hello(0), Replicas: n, Policy: route.PowerOfTwo, Retry: fleet.Retry{Max: 1}, Capacity: fleet.Capacity{CPU: latency.Fixed(20 * time.Millisecond)},
		Life: fleet.Life{StartUp: latency.Fixed(20 * time.Second), Readiness: fleet.Probe{Listening: true, Period: time.Second}},
	})
}

// The least replicas for a traffic: 170 requests a second of 20 ms are 3.4 processors.
func TestLeastReplicas(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		levels := search.Levels{Low: 1, High: 16, Whole: true, Smallest: true, Runs: 1}
		answer := search.Capacity(q, levels, func(n float64) load.Scenario {
			return load.Scenario{
				Traffic: traffic.Rate(170).For(20 * time.Second), Thresholds: []string{"p(99)<100ms", "errors==0"}, Do: ask(shopOf(q, int(n))),
			}
		})
		require.True(q, answer.Found, "%v", answer)
		require.Equal(q, 4.0, answer.Level, "%v", answer)
	})
}

// With crashes from the seed: how many replicas hold the objective in all of five runs, each with faults of its own.
func TestLeastReplicasWithCrashes(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		run := 0
		levels := search.Levels{Low: 1, High: 16, Whole: true, Smallest: true, Runs: 5}
		answer := search.Capacity(q, levels, func(n float64) load.Scenario {
			run++
			f := fleet.NewT(q, fleet.Config{
				Name: fmt.Sprint("shop", run), New: hello(0), Replicas: int(n), Policy: route.PowerOfTwo, Retry: fleet.Retry{Max: 2},
				Capacity: fleet.Capacity{CPU: latency.Fixed(20 * time.Millisecond)},
				Life:     fleet.Life{StartUp: latency.Fixed(20 * time.Second), Readiness: fleet.Probe{Listening: true, Period: time.Second}},
			})
			return load.Scenario{
				Traffic: traffic.Rate(170).For(time.Minute), Thresholds: []string{"p(99)<250ms", "errors<0.1%"}, Do: ask(f),
				Events: f.Faults(fleet.Plan{For: time.Minute, Every: 20 * time.Second}),
			}
		})
		require.True(q, answer.Found, "%v", answer)
		require.Greater(q, answer.Level, 4.0, "some are down: %v", answer)
		require.LessOrEqual(q, answer.Level, 14.0, "%v", answer)
	})
}
