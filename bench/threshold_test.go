package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// tenThresholds are what a suite may want of a run.
var tenThresholds = []string{
	"p(50)<100ms", "p(95)<400ms", "p(99)<2s", "p(99.9)<10s", "max<1m",
	"errors<5%", "rate>50/s", "step(browse).p(99)<2s", "step(checkout).p(99)<2s", "step(checkout).errors<50%",
}

// manyThresholds are so many that a run takes noticeably longer with them.
var manyThresholds = slices.Repeat(tenThresholds, 10)

// threshold reads thresholds, and evaluates them. Nothing public does the latter by
// itself: it is what a run takes longer with them than without, less the reading, per
// threshold. Runs of both kinds take turns.
func thresholds() compare.Comparison {
	return compare.Comparison{
		Name: "threshold",
		Contestants: []compare.Contestant{compare.Ours(compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
			return func(size compare.Size) (compare.Readings, error) { return measureThresholds(size.Pick(2, 50)) }
		}))},
		Figures: []compare.Figure{
			{Name: readThreshold, Unit: compare.Nanoseconds},
			{Name: evaluateThreshold, Unit: compare.Nanoseconds, MayBeZero: true},
		},
	}
}

const (
	readThreshold     = "read"
	evaluateThreshold = "evaluate"
)

func measureThresholds(pairs int) (compare.Readings, error) {
	var times []thresholdTimes
	for i := range pairs {
		var t thresholdTimes
		var errs [3]error
		with := func() { t.with, errs[0] = judgedRun(manyThresholds) }
		without := func() { t.without, errs[1] = judgedRun(nil) }
		if i%2 == 0 {
			with, without = without, with // or one of them would always come first
		}
		with()
		without()
		t.read, errs[2] = readThresholds()
		if err := firstOf(errs[:]...); err != nil {
			return nil, err
		}
		times = append(times, t)
	}
	return thresholdReadings(times), nil
}

// thresholdTimes are those of a run with many thresholds, of one without, and of
// reading as many.
type thresholdTimes struct{ with, without, read time.Duration }

func thresholdReadings(times []thresholdTimes) compare.Readings {
	var read, evaluate []float64
	for _, t := range times {
		read = append(read, float64(t.read))
		evaluate = append(evaluate, float64(t.with-t.without-t.read))
	}
	n := float64(len(manyThresholds))
	return compare.Readings{
		readThreshold:     compare.Summarize(read).Median / n,
		evaluateThreshold: compare.Summarize(evaluate).Median / n,
	}
}

func TestThresholdReadings(t *testing.T) {
	// The middle one of three pairs, in which a hundred take 400 ns each to read and 600 to evaluate.
	got := thresholdReadings([]thresholdTimes{{150_000, 50_000, 40_000}, {900_000, 50_000, 40_000}, {100_000, 50_000, 30_000}})
	require.Equal(t, compare.Readings{readThreshold: 400, evaluateThreshold: 600}, got)
}

func readThresholds() (time.Duration, error) {
	start := time.Now()
	for _, text := range manyThresholds {
		if _, err := threshold.Parse(text); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// serviceTimes are latencies as a service has them.
var serviceTimes = func() (all [300]time.Duration) {
	latency, random := latency.LogNormal(30*time.Millisecond, 500*time.Millisecond), rand.New(rand.NewPCG(1, 1))
	for i := range all {
		all[i] = latency.Sample(random)
	}
	return all
}()

var errService = errors.New("service: failed")

// judgedRun is a run in two steps that takes serviceTimes, with some errors, and
// how long it takes in real time, without its bubble.
func judgedRun(thresholds []string) (took time.Duration, err error) {
	step := func(_ context.Context, u *load.User) error {
		i := int(u.ID()) % len(serviceTimes)
		u.Clock().Sleep(serviceTimes[i])
		if i%50 == 0 {
			return errService
		}
		return nil
	}
	bubbleErr := inRun(func(q *qtests.T) {
		scenario := load.Scenario{
			Clock: q.Clock(), Traffic: traffic.Rate(100).For(time.Duration(len(serviceTimes)) * 10 * time.Millisecond), Thresholds: thresholds,
			Steps: []load.Step{{Name: "browse", Weight: 4, Do: step}, {Name: "checkout", Do: step}},
		}
		began := q.RealElapsed()
		var res *result.Result
		if res, err = load.Do(context.Background(), scenario); err == nil {
			took = q.RealElapsed() - began
			err = judged(res, len(thresholds))
		}
	})
	return took, firstOf(err, bubbleErr)
}

// judged checks that all thresholds were evaluated, on data which keeps them.
func judged(res *result.Result, thresholds int) error {
	if len(res.Thresholds) != thresholds || len(res.Failed()) > 0 || res.Finished != int64(len(serviceTimes)) || res.Errors == 0 {
		return fmt.Errorf("of %d thresholds on %d requests %d are evaluated, and broken %v",
			thresholds, res.Finished, len(res.Thresholds), res.Failed())
	}
	for _, v := range res.Thresholds {
		if v.Actual == "" {
			return fmt.Errorf("%s has no value", v.Threshold)
		}
	}
	return nil
}
