package breaker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/cause"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// story is a breaker that opened, probed in vain, and recovered.
func story(t *testing.T, cfg breaker.Config) *breaker.Breaker {
	cfg.Name = "payments"
	b, clk := newBreaker(t, cfg)
	clk.Add(time.Second)
	results(b, "sfffff")
	clk.Add(30 * time.Second)
	results(b, "fs")
	clk.Add(30 * time.Second)
	results(b, "s")
	return b
}

func TestRequireHolds(t *testing.T) {
	b := story(t, breaker.Config{})
	b.RequireState(t, breaker.Closed)
	b.RequireRejected(t, 1)
	b.RequireTransitions(t, breaker.Open, breaker.HalfOpen.At(31*time.Second), breaker.Open,
		breaker.HalfOpen.At(61*time.Second), breaker.Closed)
	b.RequireTransitionsInclude(t)
	b.RequireTransitionsInclude(t, breaker.Open, breaker.Open.At(31*time.Second), breaker.Closed)
}

func TestRequireFails(t *testing.T) {
	const table = `at    from       to         successes  failures  cause
1s    closed     open       1          5         5 consecutive failures
31s   open       half-open  0          0         open for 30s
31s   half-open  open       0          1         a probe failed
1m1s  open       half-open  0          0         open for 30s
1m1s  half-open  closed     1          0         1 consecutive successful probe
now   closed                0          0         1 rejected, 0 stale, 0 in flight
`
	all := []breaker.Expectation{breaker.Open, breaker.HalfOpen, breaker.Open, breaker.HalfOpen, breaker.Closed}
	b := story(t, breaker.Config{})
	for want, f := range map[string]func(*tbtest.TB){
		"state is closed, want open":                              func(t *tbtest.TB) { b.RequireState(t, breaker.Open) },
		"1 call rejected, want 2":                                 func(t *tbtest.TB) { b.RequireRejected(t, 2) },
		"1 call rejected, want -1":                                func(t *tbtest.TB) { b.RequireRejected(t, -1) },
		"5 transitions, want 0: none":                             func(t *tbtest.TB) { b.RequireTransitions(t) },
		"5 transitions, want 4: open, half-open, open, half-open": func(t *tbtest.TB) { b.RequireTransitions(t, all[:4]...) },
		"5 transitions, want 6: open, half-open, open, half-open, closed, open": func(t *tbtest.TB) {
			b.RequireTransitions(t, append(all[:5:5], breaker.Open)...)
		},
		"transition 1 is to half-open at 31s, want open\nwant all: open, open, open, half-open, closed": func(t *tbtest.TB) {
			b.RequireTransitions(t, breaker.Open, breaker.Open, breaker.Open, breaker.HalfOpen, breaker.Closed)
		},
		"transition 0 is to open at 1s, want open at 1.000001s\nwant all: open at 1.000001s, half-open, open, half-open, closed": func(t *tbtest.TB) {
			b.RequireTransitions(t, append([]breaker.Expectation{breaker.Open.At(time.Second + time.Microsecond)}, all[1:]...)...)
		},
		"no open after the first 2 of: open, closed, open": func(t *tbtest.TB) {
			b.RequireTransitionsInclude(t, breaker.Open, breaker.Closed, breaker.Open)
		},
		"no half-open at 30s after the first 0 of: half-open at 30s": func(t *tbtest.TB) {
			b.RequireTransitionsInclude(t, breaker.HalfOpen.At(30*time.Second))
		},
	} {
		after := false
		r := tbtest.Run("failing", func(t *tbtest.TB) { f(t); after = true })
		require.True(t, r.Failed(), want)
		require.False(t, after, "FailNow was not called: %s", want)
		require.Equal(t, "breaker payments: "+want+"\n"+table, r.Errors())
	}
}

func TestTheTableMarksWhatWasObserved(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{Name: "x", Mode: breaker.Observing, FailureThreshold: 2})
	results(b, "ff")
	r := tbtest.Run("observed", func(t *tbtest.TB) { b.RequireState(t, breaker.Closed) })
	require.Contains(t, r.Errors(), "2 consecutive failures (observed)\n")
}

func TestRequireTransitionsFailsOnACutLog(t *testing.T) {
	b := story(t, breaker.Config{LogSize: 3})
	ts := b.Transitions()
	require.Len(t, ts, 3)
	require.Equal(t, cause.ProbesFailed, ts[0].Cause)
	require.EqualValues(t, 2, b.Stats().TransitionsDropped)
	r := tbtest.Run("cut", func(t *tbtest.TB) {
		b.RequireTransitions(t, breaker.Open, breaker.HalfOpen, breaker.Closed)
	})
	require.Contains(t, r.Errors(), "the log has lost its first 2 transitions (it holds 3)")
	require.Contains(t, r.Errors(), "2 earlier transitions")
	b.RequireTransitionsInclude(t, breaker.Open, breaker.Closed)
}

// One lost entry is lost, and one that the table leaves out is said.
func TestOneEntryIsMissing(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{LogSize: 1})
	b.RequireRejected(t, 0)
	b.Trip()
	b.Reset()
	r := tbtest.Run("cut", func(t *tbtest.TB) { b.RequireTransitions(t, breaker.Closed) })
	require.Contains(t, r.Errors(), "the log has lost its first 1 transition (it holds 1)")
	require.Contains(t, r.Errors(), "1 earlier transition\n")

	b, _ = newBreaker(t, breaker.Config{})
	for range 25 {
		b.Trip()
		b.Reset()
	}
	shown := func() string {
		return tbtest.Run("long", func(t *tbtest.TB) { b.RequireState(t, breaker.HalfOpen) }).Errors()
	}
	require.NotContains(t, shown(), "earlier")
	b.Trip()
	require.Contains(t, shown(), "1 earlier transition\n")
}

func TestFailureTableIsBounded(t *testing.T) {
	b, _ := newBreaker(t, breaker.Config{})
	for range 100 {
		b.Trip()
		b.Reset()
	}
	r := tbtest.Run("long", func(t *tbtest.TB) { b.RequireState(t, breaker.Open) })
	require.Contains(t, r.Errors(), "150 earlier transitions")
	require.Less(t, len(r.Errors()), 10_000)
}
