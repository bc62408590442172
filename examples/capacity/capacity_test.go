// Package capacity_test asks how many requests a second a service keeps up with before
// its response times break the threshold.
package capacity_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/search"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/pool/fake"
)

// Four workers that take 20 ms each do 200 requests a second, and never more.
func TestCapacity(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		levels := search.Levels{Low: 10, High: 1000, Runs: 1}
		answer := search.Capacity(q, levels, func(rate float64) load.Scenario {
			workers := fake.NewT(q, fake.Config{Name: "workers", Max: 4, Latency: latency.Fixed(20 * time.Millisecond)}) // new for every run
			return load.Scenario{
				Traffic:    traffic.Rate(rate).For(20 * time.Second),
				Thresholds: []string{"p(99)<100ms", "errors==0"},
				Do: func(ctx context.Context, _ *load.User) error {
					return workers.Do(ctx, "resize", func(context.Context) error { return nil })
				},
			}
		})
		q.Log(answer)
		if !answer.Found || answer.Level < 180 || answer.Level > 210 {
			q.Errorf("it keeps up with %v requests a second, want about 200", answer.Level)
		}
	})
}
