package fleet_test

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/latency"
)

func hpa(q *qtests.T, h scale.HPA) scale.Scaler {
	a, err := scale.New(h)
	require.NoError(q, err)
	return a
}

// Requests of 50 ms at 40 a second are two processors: at a target of 50% that is four instances.
func TestScalesByProcessorTime(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{
			New: hello(0), Capacity: fleet.Capacity{CPU: latency.Fixed(50 * time.Millisecond)},
			Life:    fleet.Life{StartUp: latency.Fixed(5 * time.Second), Readiness: fleet.Probe{Listening: true, Period: time.Second}, PreStop: 2 * time.Second},
			Scaling: fleet.Scaling{By: hpa(q, scale.HPA{Max: 10, Metrics: []scale.Metric{{Name: scale.CPU, Utilization: 50}}})},
		})
		every(q, f.Client(), 25*time.Millisecond, 10*time.Minute)
		q.Sleep(10 * time.Second)
		wanted, ready := f.Replicas()
		require.Equal(q, 4, wanted)
		require.Equal(q, 4, ready)
		q.Sleep(10 * time.Minute)
		wanted, _ = f.Replicas()
		require.Equal(q, 1, wanted, "nothing to do")
		f.RequireNothingLost(q)
		f.RequireFlaps(q, 1) // it overshoots while it works off what waited
		sum, changes := f.ScalingSummary()
		require.Equal(q, 1, sum.Least)
		require.NotEmpty(q, changes)
		require.Greater(q, sum.OverTarget, 15*time.Second)
	})
}

func TestScalerWithoutItsMetric(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{
			New: hello(0), Replicas: 3,
			Scaling: fleet.Scaling{
				By:     hpa(q, scale.HPA{Max: 10, Metrics: []scale.Metric{{Kind: scale.External, Name: "queue", AverageValue: 1}}}),
				Values: map[string]func() (float64, error){"queue": func() (float64, error) { return 0, errors.New("no broker") }},
			},
		})
		q.Sleep(time.Hour)
		wanted, _ := f.Replicas()
		require.Equal(q, 3, wanted)
		require.EqualError(q, f.LastDecision().Err, "scale: no value of queue")
	})
}

func TestFromZeroAndBack(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		queue := 0.0
		keda, err := scale.NewKEDA(scale.KEDA{Triggers: []scale.Trigger{{Name: "queue", Threshold: 10}}})
		require.NoError(q, err)
		f := fleet.NewT(q, fleet.Config{New: hello(0), NoReplicas: true, Scaling: fleet.Scaling{
			By: keda, Values: map[string]func() (float64, error){"queue": func() (float64, error) { return queue, nil }},
		}})
		q.Sleep(5 * time.Minute)
		require.Empty(q, f.Instances())
		queue = 35
		q.Sleep(2 * time.Minute)
		require.Len(q, f.Instances(), 4)
		queue = 0
		q.Sleep(15 * time.Minute)
		require.Empty(q, f.Instances())
	})
}

func TestScalesByAMetricOfInstances(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f := fleet.NewT(q, fleet.Config{New: hello(0), Scaling: fleet.Scaling{
			By:          hpa(q, scale.HPA{Max: 10, Metrics: []scale.Metric{{Kind: scale.Pods, Name: "sessions", AverageValue: 10}}}),
			PerInstance: map[string]func(*fleet.Instance) (float64, error){"sessions": func(*fleet.Instance) (float64, error) { return 60 / float64(len([]int{1})), nil }},
		}})
		q.Sleep(31 * time.Second)
		wanted, _ := f.Replicas()
		require.Equal(q, 10, wanted, "60 for each, however many there are")
	})
	qtests.Run(t, func(q *qtests.T) {
		steps, err := scale.NewSteps(scale.Steps{Max: 9, Metric: "load", Steps: []scale.Step{{From: 5, To: math.Inf(1), By: 2}}})
		require.NoError(q, err)
		f := fleet.NewT(q, fleet.Config{New: hello(0), Scaling: fleet.Scaling{
			By: steps, Values: map[string]func() (float64, error){"load": func() (float64, error) { return 7, nil }},
		}})
		q.Sleep(7 * time.Minute)
		wanted, _ := f.Replicas()
		require.Equal(q, 5, wanted, "after a minute, and five minutes later")
	})
}

// An autoscaler goes by one container: the fleet's, or another one whose use and request are given.
func TestScalesByAContainer(t *testing.T) {
	for container, want := range map[string]int{"app": 2, "proxy": 9} {
		qtests.Run(t, func(q *qtests.T) {
			hpa, err := scale.New(scale.HPA{Max: 9, Metrics: []scale.Metric{{Kind: scale.ContainerResource, Container: container, Name: scale.CPU, Utilization: 50}}})
			require.NoError(q, err)
			f := fleet.NewT(q, fleet.Config{
				New: hello(0), Replicas: 2, Capacity: fleet.Capacity{CPU: latency.Fixed(10 * time.Millisecond)},
				Scaling: fleet.Scaling{
					By: hpa, Requests: map[string]float64{"proxy/cpu": 0.5},
					PerInstance: map[string]func(*fleet.Instance) (float64, error){"proxy/cpu": func(*fleet.Instance) (float64, error) { return 0.5, nil }},
				},
			})
			every(q, f.Client(), 10*time.Millisecond, time.Minute) // half of each processor
			wanted, _ := f.Replicas()
			require.Equal(q, want, wanted, "%v", f.LastDecision())
		})
	}
}

func TestBadConfigs(t *testing.T) {
	h := func(*fleet.Instance) http.Handler { return nil }
	for want, cfg := range map[string]fleet.Config{
		"fleet: Config.New: nil makes no handler":                                   {},
		"fleet: Config.Replicas: -1 is negative":                                    {New: h, Replicas: -1},
		"fleet: Config.Replicas: 2 contradicts NoReplicas":                          {New: h, Replicas: 2, NoReplicas: true},
		"fleet: Config.Zones[1]: a is there twice":                                  {New: h, Zones: []string{"a", "a"}},
		"fleet: Config.Capacity.MaxQueue: 5 is set, but Concurrency is not":         {New: h, Capacity: fleet.Capacity{MaxQueue: 5}},
		"fleet: Config.Life.PreStop: 1m0s is over Grace, 30s":                       {New: h, Life: fleet.Life{PreStop: time.Minute}},
		"fleet: Config.Life.EndpointLag: 1s contradicts NoEndpointLag":              {New: h, Life: fleet.Life{EndpointLag: time.Second, NoEndpointLag: true}},
		"fleet: Config.Life.Readiness.Path: ready does not begin with a slash":      {New: h, Life: fleet.Life{Readiness: fleet.Probe{Path: "ready"}}},
		"fleet: Config.Retry.Budget: route: Budget.Share: 2 is not between 0 and 1": {New: h, Retry: fleet.Retry{Budget: budget(2)}},
		"fleet: Config.Hedge.After: -1s is negative":                                {New: h, Hedge: fleet.Hedge{After: -time.Second}},
		"fleet: Config.Scaling.By: nil uses no values, and there are some":          {New: h, Scaling: fleet.Scaling{Values: map[string]func() (float64, error){"x": nil}}},
		`fleet: Config.Scaling.Requests["x/cpu"]: 0 is not a number above 0`:        {New: h, Scaling: fleet.Scaling{Requests: map[string]float64{"x/cpu": 0}}},
		"route: Config.PanicShare: 3 is not between 0 and 1":                        {New: h, PanicShare: 3},
	} {
		require.Equal(t, want, failure(t, func(q fleet.T) { fleet.NewT(q, cfg) }), want)
	}
}
