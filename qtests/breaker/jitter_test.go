package breaker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
)

// waits are the lengths of the first openings of a breaker whose probes all fail.
func waits(b *breaker.Breaker, clk *hand) (ds []time.Duration) {
	for range 10 {
		results(b, "f")
		ds = append(ds, b.Stats().RetryAfter)
		clk.Add(b.Stats().RetryAfter)
	}
	return ds
}

// The replicas of a program have the same name and the same Config, and must not probe in
// step. A test must repeat.
func TestReplicasProbeApart(t *testing.T) {
	cfg := breaker.Config{Name: "payments", FailureThreshold: 1, Jitter: 0.5}
	replica := func() []time.Duration {
		cfg, clk := cfg, &hand{now: epoch}
		cfg.Clock = clk
		b, err := breaker.New(cfg)
		require.NoError(t, err)
		return waits(b, clk)
	}
	one, other := replica(), replica()
	for i := range one {
		require.NotEqual(t, one[i], other[i], "opening %d", i)
		require.NotEqual(t, 30*time.Second, one[i], "opening %d", i)
	}

	inTest := func(name string) []time.Duration {
		cfg.Name = name
		b, clk := newBreaker(t, cfg)
		return waits(b, clk)
	}
	require.Equal(t, inTest("payments"), inTest("payments"))
	require.NotEqual(t, inTest("payments"), inTest("stock"))
}

// A breaker that is no longer forced open waits as after an opening.
func TestReleasedReplicasProbeApart(t *testing.T) {
	released := func(seed uint64) time.Duration {
		b, _ := newBreaker(t, breaker.Config{Jitter: 0.5, Stream: tb.NewStream(seed, "x")})
		b.SetMode(breaker.ForcedOpen)
		b.SetMode(breaker.Automatic)
		return b.Stats().RetryAfter
	}
	require.NotEqual(t, released(1), released(2))
}

type retryAfter struct{ d time.Duration }

func (e retryAfter) Error() string { return "503, Retry-After: " + e.d.String() }

// openFor is what a user writes.
func openFor(err error) time.Duration {
	var e retryAfter
	if errors.As(err, &e) {
		return e.d
	}
	return 0
}

func TestOpenFor(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want time.Duration
	}{
		"the error says":        {retryAfter{2 * time.Minute}, 2 * time.Minute},
		"as short as possible":  {retryAfter{1}, time.Microsecond},
		"shorter than usual":    {retryAfter{time.Second}, time.Second},
		"the error does not":    {errDown, 30 * time.Second},
		"it says nothing":       {retryAfter{0}, 30 * time.Second},
		"it says the past":      {retryAfter{-time.Hour}, 30 * time.Second},
		"longer than permitted": {retryAfter{time.Hour}, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			for how, fail := range map[string]func(*breaker.Breaker){
				"Do":   func(b *breaker.Breaker) { _ = b.Do(ctx, takes(nil, 0, tc.err)) },
				"Done": func(b *breaker.Breaker) { allow(t, b).Done(tc.err) },
			} {
				b, clk := newBreaker(t, breaker.Config{FailureThreshold: 2, OpenFor: openFor, MaxResetTimeout: 10 * time.Minute})
				_ = b.Do(ctx, takes(nil, 0, retryAfter{time.Hour})) // this one does not open it
				require.Zero(t, b.Stats().RetryAfter)
				fail(b)
				require.Equal(t, tc.want, b.Stats().RetryAfter, how)
				var rejected *breaker.RejectedError
				require.ErrorAs(t, b.Do(ctx, succeeds), &rejected)
				require.Equal(t, epoch.Add(tc.want), rejected.RetryAt)
				clk.Add(tc.want)
				fail(b) // the probe
				b.RequireTransitions(t, breaker.Open, breaker.HalfOpen.At(tc.want), breaker.Open)
				require.Equal(t, tc.want, b.Stats().RetryAfter, how)
			}
		})
	}
}

// What is not a failure asks for no time, and no call of the script does.
func TestOpenForIsAskedAboutFailuresOnly(t *testing.T) {
	var asked []error
	b, _ := newBreaker(t, breaker.Config{
		OpenFor: func(err error) time.Duration { asked = append(asked, err); return time.Hour },
		Ignore:  func(err error) bool { return errors.Is(err, errGone) },
	})
	results(b, "sis")
	_ = b.Do(ctx, takes(nil, 0, errGone))
	require.NoError(t, b.Script(breaker.FailNext(5, retryAfter{time.Minute})))
	_ = times(5, b, notReached(t))
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter)
	b.Reset()
	require.Panics(t, func() { _ = b.Do(ctx, explodes) })
	require.Empty(t, asked)
	results(b, "f")
	require.Equal(t, []error{errDown}, asked)
}

var errGone = errors.New("gone")

// It does not matter which condition the failure fulfils. A call that the script made fail
// says nothing.
func TestOpenForWithTripWhen(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{OpenFor: openFor, TripWhen: func(c breaker.Counts) bool { return c.Failures > 1 }})
	results(b, "f")
	_ = b.Do(ctx, takes(nil, 0, retryAfter{time.Hour}))
	require.Equal(t, time.Hour, b.Stats().RetryAfter)

	b.Reset()
	require.NoError(t, b.Script(breaker.FailNext(2, nil)))
	for range 2 {
		allow(t, b).Done(retryAfter{time.Hour})
	}
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter)
}

// The other side asked for no call before: jitter only adds.
func TestJitterNeverShortensWhatWasAskedFor(t *testing.T) {
	longest := time.Duration(0)
	for seed := range uint64(100) {
		b, _ := newBreaker(t, breaker.Config{FailureThreshold: 1, OpenFor: openFor, Jitter: 0.5, Stream: tb.NewStream(seed, "x")})
		_ = b.Do(ctx, takes(nil, 0, retryAfter{time.Minute}))
		d := b.Stats().RetryAfter
		require.GreaterOrEqual(t, d, time.Minute)
		require.LessOrEqual(t, d, 90*time.Second)
		longest = max(longest, d)
	}
	require.Greater(t, longest, 85*time.Second)
}

func TestOpenForThatPanicsCountsAsFailure(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{OpenFor: func(error) time.Duration { panic("mine") }})
	require.PanicsWithValue(t, "mine", func() { results(b, "f") })
	require.Equal(t, oneFailure, tally(b))

	b, _ = newBreaker(t, breaker.Config{FailureThreshold: 1, OpenFor: func(error) time.Duration { panic("mine") }})
	require.PanicsWithValue(t, "mine", func() { allow(t, b).Done(errDown) })
	require.Equal(t, 30*time.Second, b.Stats().RetryAfter)
}
