package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load"
)

const threshold = "step(checkout).p(99)<250ms"

func parseThreshold(testing.TB) func(n int) error {
	return func(n int) error {
		for range n {
			if _, err := load.ParseThreshold(threshold); err != nil {
				return err
			}
		}
		return nil
	}
}

// evaluateThresholds divides a run of one request among all its thresholds.
func evaluateThresholds(testing.TB) func(n int) error {
	return func(n int) error {
		return inRun(func(q *qtests.T) {
			res, err := load.Do(context.Background(), load.Scenario{
				Clock: q.Clock(), Profile: load.Rate(1).For(time.Second), Thresholds: slices.Repeat([]string{threshold}, n),
				Steps: []load.Step{{Name: "checkout", Do: func(context.Context, *load.User) error { q.Clock().Sleep(apart); return nil }}},
			})
			if err != nil {
				q.Fatal(err)
			}
			if len(res.Thresholds) != n || len(res.Failed()) > 0 {
				q.Fatalf("of %d thresholds %d failed", len(res.Thresholds), len(res.Failed()))
			}
		})
	}
}
