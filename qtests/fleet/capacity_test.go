package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/search"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/shed"
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
	stress.Figures(t)
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

// The highest target of an autoscaler with which the latency holds: a target nearer to 1 leaves less room for what comes at random. The
// bisection starts from a target that holds and one that does not.
func TestHighestTarget(t *testing.T) {
	stress.Figures(t)
	qtests.Run(t, func(q *qtests.T) {
		answer := search.Capacity(q, search.Levels{Low: 30, High: 98, Precision: 0.2, Runs: 1}, func(target float64) load.Scenario {
			metric := scale.Metric{Name: scale.CPU, Utilization: int(target)}
			hpa, err := scale.New(scale.HPA{Max: 20, Metrics: []scale.Metric{metric}, Down: scale.Rules{NoWindow: true}})
			require.NoError(q, err)
			f := fleet.NewT(q, fleet.Config{
				New: hello(0), Replicas: 4, Policy: route.PowerOfTwo, Scaling: fleet.Scaling{By: hpa}, Life: fleet.Life{PreStop: 2 * time.Second},
				Capacity: fleet.Capacity{CPU: latency.Exponential(50 * time.Millisecond)},
			})
			return load.Scenario{Traffic: traffic.Rate(58).For(3 * time.Minute), Thresholds: []string{"p(95)<250ms"}, Do: ask(f)}
		})
		require.True(q, answer.Found, "%v", answer)
		require.True(q, answer.Level > 30 && answer.Level < 90, "%v", answer)
	})
}

// The highest limit of concurrency with which what is admitted is fast: one processor, 10 ms for each, so that the n-th waits 10·n ms.
func TestHighestLimit(t *testing.T) {
	stress.Figures(t)
	qtests.Run(t, func(q *qtests.T) {
		answer := search.Capacity(q, search.Levels{Low: 1, High: 100, Whole: true, Runs: 1}, func(limit float64) load.Scenario {
			f := fleet.NewT(q, fleet.Config{New: func(i *fleet.Instance) http.Handler {
				gate, err := shed.New(shed.Config{Clock: i.Clock(), Limit: shed.Fixed(int(limit))})
				require.NoError(q, err)
				free := i.Clock().Now()
				return gate.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					now := i.Clock().Now()
					if free.Before(now) {
						free = now
					}
					free = free.Add(10 * time.Millisecond)
					i.Clock().Sleep(free.Sub(now))
				}))
			}})
			return load.Scenario{Traffic: traffic.Rate(300).For(10 * time.Second), Thresholds: []string{"max<=200ms"}, Do: ask(f)}
		})
		require.True(q, answer.Found, "%v", answer)
		require.Equal(q, 20.0, answer.Level, "%v", answer)
	})
}

// crashes is a minute of a fleet of n instances, each with faults of its own seed.
func crashes(q *qtests.T, n int, seed uint64) load.Scenario {
	f := fleet.NewT(q, fleet.Config{
		Seed: seed, New: hello(0), Replicas: n, Policy: route.PowerOfTwo, Retry: fleet.Retry{Max: 2},
		Capacity: fleet.Capacity{CPU: latency.Fixed(20 * time.Millisecond)},
		Life:     fleet.Life{StartUp: latency.Fixed(20 * time.Second), Readiness: fleet.Probe{Listening: true, Period: time.Second}},
	})
	return load.Scenario{
		Seed: seed, Traffic: traffic.Rate(100).For(time.Minute), Thresholds: []string{"p(99)<250ms", "errors<0.1%"}, Do: ask(f),
		Events: f.Faults(fleet.Plan{For: time.Minute, Every: 20 * time.Second}),
	}
}

// With crashes from the seed: how many replicas hold the objective in all of three runs, each with faults of its own.
func TestLeastReplicasWithCrashes(t *testing.T) {
	stress.Figures(t)
	qtests.Run(t, func(q *qtests.T) {
		seed := uint64(0)
		levels := search.Levels{Low: 1, High: 16, Whole: true, Smallest: true, Runs: 3}
		answer := search.Capacity(q, levels, func(n float64) load.Scenario {
			seed++
			return crashes(q, int(n), seed)
		})
		require.True(q, answer.Found, "%v", answer)
		require.Greater(q, answer.Level, 2.0, "some are down: %v", answer)
		require.LessOrEqual(q, answer.Level, 14.0, "%v", answer)
	})
}

// With what chance the objective holds: of three replicas two can do the work. Three lose the objective with some seeds and not with
// others, and more replicas lose it less often.
func TestChanceWithCrashes(t *testing.T) {
	stress.Figures(t)
	qtests.Run(t, func(q *qtests.T) {
		seeds := 6 * stress.Factor(t)
		few := search.Sweep(q, seeds, func(seed uint64) load.Scenario { return crashes(q, 3, seed) })
		many := search.Sweep(q, seeds, func(seed uint64) load.Scenario { return crashes(q, 8, seed) })
		require.Greater(q, many.Held, few.Held, "%v%v", few, many)
		require.Positive(q, few.Held)
		require.Less(q, few.Low, few.Share())
		require.Greater(q, few.High, few.Share())
	})
}
