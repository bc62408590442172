package breaker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
)

func TestConsecutiveFailures(t *testing.T) {
	for _, tc := range []struct {
		name, before, opener string
		threshold            int
	}{
		{"default 5", "ffff", "f", 0},
		{"1", "sss", "f", 1},
		{"a success starts over", "ffsff", "f", 3},
		{"an ignored result does not", "ffi", "f", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := newBreaker(t, breaker.Config{FailureThreshold: tc.threshold})
			results(b, tc.before)
			b.RequireTransitions(t)
			results(b, tc.opener)
			b.RequireTransitions(t, breaker.Open)
			require.Equal(t, cause.ConsecutiveFailures, last(b).Cause)
		})
	}
}

func TestRatesOverTheLastCalls(t *testing.T) {
	for _, tc := range []struct {
		name, before, opener, detail string
		cfg                          breaker.Config
	}{
		{"compared with >=", "sssffs", "f", "failure rate 0.4286 >= 0.4, 3 of the last 7 calls",
			breaker.Config{FailureRate: 0.4, MinCalls: 7}},
		{"3 of 10 reach 0.3", "ssssssffs", "f", "failure rate 0.3 >= 0.3, 3 of the last 10 calls",
			breaker.Config{FailureRate: 0.3}},
		{"a success opens it, too", "fff", "s", "failure rate 0.75 >= 0.5, 3 of the last 4 calls",
			breaker.Config{FailureRate: 0.5, MinCalls: 4}},
		{"old results leave", "ssssfssssf", "f", "failure rate 0.5 >= 0.5, 2 of the last 4 calls",
			breaker.Config{FailureRate: 0.5, WindowCalls: 4, MinCalls: 4, FailureThreshold: 9}},
		{"all of them", "ffff", "f", "failure rate 1 >= 1, 5 of the last 5 calls",
			breaker.Config{FailureRate: 1, WindowCalls: 5}},
		{"ignored ones are no calls", "ffiiii", "f", "failure rate 1 >= 0.5, 3 of the last 3 calls",
			breaker.Config{FailureRate: 0.5, MinCalls: 3}},
		{"consecutive failures go first", "f", "f", "2 consecutive failures",
			breaker.Config{FailureRate: 0.5, MinCalls: 2, FailureThreshold: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, _ := newBreaker(t, tc.cfg)
			results(b, tc.before)
			b.RequireTransitions(t)
			results(b, tc.opener)
			b.RequireState(t, breaker.Open)
			require.Equal(t, tc.detail, last(b).Detail)
		})
	}
}

func TestARateAloneHasNoConsecutiveThreshold(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{FailureRate: 0.9, MinCalls: 20})
	results(b, "fffffffff")
	b.RequireTransitions(t)
}

func TestRateOverATimeWindow(t *testing.T) {
	cfg := breaker.Config{FailureRate: 0.5, Window: 10 * time.Second, MinCalls: 4}
	b, clk := newBreaker(t, cfg)
	results(b, "fff")
	clk.Add(10*time.Second - 1)
	require.Equal(t, breaker.Window{Calls: 3, Failures: 3}, b.Stats().Counts.ByTime)
	clk.Add(1) // the bucket of the first second has left the window
	require.Zero(t, b.Stats().Counts.ByTime)
	results(b, "ffs")
	b.RequireState(t, breaker.Closed)
	clk.Add(9 * time.Second)
	results(b, "s")
	b.RequireState(t, breaker.Open)
	require.Equal(t, cause.FailureRate, last(b).Cause)
	require.Equal(t, "failure rate 0.5 >= 0.5, 2 of 4 calls in 10s", last(b).Detail)
	require.Equal(t, breaker.Window{Calls: 4, Failures: 2}, last(b).Counts.ByTime)
	require.EqualValues(t, 5, last(b).Counts.Failures, "counts are those of the generation, the window aside")
}

func TestTimeWindowForgetsBucketByBucket(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureRate: 1, Window: 3 * time.Second, WindowBuckets: 3, MinCalls: 100})
	for range 3 {
		results(b, "sf")
		clk.Add(time.Second)
	}
	require.Equal(t, breaker.Window{Calls: 4, Failures: 2}, b.Stats().Counts.ByTime)
	clk.Add(time.Second)
	require.Equal(t, breaker.Window{Calls: 2, Failures: 1}, b.Stats().Counts.ByTime)
	clk.Add(1000 * time.Hour)
	require.Zero(t, b.Stats().Counts.ByTime)
	results(b, "f")
	require.Equal(t, breaker.Window{Calls: 1, Failures: 1}, b.Stats().Counts.ByTime)
}

// With both windows set, the one over calls holds where the one over time has
// too few calls.
func TestBothWindows(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{FailureRate: 0.5, WindowCalls: 4, Window: time.Second, MinCalls: 4})
	results(b, "sf")
	clk.Add(time.Second)
	results(b, "sf")
	require.Equal(t, "failure rate 0.5 >= 0.5, 2 of the last 4 calls", last(b).Detail)
	require.Equal(t, 2, last(b).Counts.ByTime.Calls)
}

func TestSlowCalls(t *testing.T) {
	cfg := breaker.Config{SlowCall: time.Second, SlowCallRate: 0.5, MinCalls: 4}
	b, clk := newBreaker(t, cfg)
	_ = b.Do(ctx, takes(clk, time.Second, nil)) // not longer
	_ = b.Do(ctx, takes(clk, time.Second+499*time.Nanosecond, nil))
	require.Zero(t, b.Stats().Counts.Slow, "durations are compared to the microsecond")
	_ = b.Do(ctx, takes(clk, time.Second+time.Microsecond, nil))
	b.RequireState(t, breaker.Closed)
	_ = b.Do(ctx, takes(clk, time.Hour, errDown))
	b.RequireState(t, breaker.Open)
	require.Equal(t, cause.SlowCallRate, last(b).Cause)
	require.Equal(t, "slow-call rate 0.5 >= 0.5, 2 of the last 4 calls", last(b).Detail)
	require.EqualValues(t, 2, last(b).Counts.Slow)
	require.EqualValues(t, 1, last(b).Counts.Failures)
}

func TestTheShortestSlowCall(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{SlowCall: 1})
	_ = b.Do(ctx, takes(clk, time.Microsecond, nil))
	_ = b.Do(ctx, takes(clk, 0, nil))
	require.EqualValues(t, 1, b.Stats().Counts.Slow)
}

// Over a time alone, too, a rate waits for 10 results.
func TestMinCallsOverATime(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{FailureRate: 0.5, Window: time.Minute})
	results(b, "fffffffff")
	b.RequireTransitions(t)
	results(b, "f")
	b.RequireState(t, breaker.Open)
}

func TestTheSmallestWindows(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{WindowFailures: 2, Window: 1, WindowBuckets: 1})
	results(b, "f")
	require.Equal(t, breaker.Window{Calls: 1, Failures: 1}, b.Stats().Counts.ByTime)
	clk.Add(1)
	results(b, "f")
	b.RequireTransitions(t)
	results(b, "f")
	b.RequireTransitions(t, breaker.Open)

	b, _ = newBreaker(t, breaker.Config{WindowFailures: 1})
	results(b, "sf")
	b.RequireTransitions(t, breaker.Open)
}

func TestIgnoredResultsAreCounted(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	results(b, "siif")
	require.Equal(t, breaker.Counts{Successes: 1, Ignored: 2, Failures: 1, ConsecutiveFailures: 1}, b.Stats().Counts)
}

func TestAWindowOfOneCall(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{FailureRate: 1, WindowCalls: 1})
	results(b, "sss")
	b.Reset()
	results(b, "sf")
	require.Equal(t, "failure rate 1 >= 1, 1 of the last 1 calls", last(b).Detail)
	b.Reset()
	results(b, "s")
	require.Equal(t, breaker.Window{Calls: 1}, b.Stats().Counts.ByCalls)
}

func TestSlowCallsInATimeWindow(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{SlowCall: time.Second, SlowCallRate: 0.5, Window: time.Minute, MinCalls: 2})
	_ = b.Do(ctx, takes(clk, 2*time.Second, nil))
	_ = b.Do(ctx, takes(clk, 0, nil))
	require.Equal(t, "slow-call rate 0.5 >= 0.5, 1 of 2 calls in 1m0s", last(b).Detail)
}

func TestSlowCallsWithoutARateAreOnlyCounted(t *testing.T) {
	b, clk := newBreaker(t, breaker.Config{SlowCall: time.Second})
	for range 3 {
		_ = b.Do(ctx, takes(clk, 2*time.Second, nil))
		_ = b.Do(ctx, takes(clk, 0, nil))
	}
	p := allow(t, b)
	clk.Add(2 * time.Second)
	p.Cancel()
	c := b.Stats().Counts
	require.EqualValues(t, 3, c.Slow, "an ignored call is not slow")
	require.EqualValues(t, 6, c.Successes)
	require.EqualValues(t, 6, c.ConsecutiveSuccesses)
	b.RequireTransitions(t)
}
