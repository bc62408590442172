package scale_test

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/scale"
)

// Two pods use 90% of the processors that they asked for, and the target is 60%: there have to be three.
func Example() {
	a, err := scale.New(scale.HPA{Min: 2, Max: 10, Metrics: []scale.Metric{{Kind: scale.Resource, Name: scale.CPU, Utilization: 60}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	pod := func(name string, cpu float64) scale.Pod {
		return scale.Pod{
			Name: name, Phase: scale.Running, Started: now.Add(-time.Hour), Ready: true, Since: now.Add(-time.Hour),
			Requests: map[string]float64{scale.CPU: 1},
			Samples:  map[string]scale.Sample{scale.CPU: {Value: cpu, At: now, Window: time.Minute}},
		}
	}
	d := a.Decide(scale.Status{Now: now, Replicas: 2, Pods: []scale.Pod{pod("shop-1", 0.9), pod("shop-2", 0.9)}})
	fmt.Println(d.Replicas, "replicas:", d.Reason)
	// Output:
	// 3 replicas: cpu 90% of 60%
}
