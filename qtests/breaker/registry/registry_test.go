package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/registry"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDown = errors.New("down")
	ctx     = context.Background()
)

// onMock is a test on a clock that it moves by hand.
type onMock struct {
	tb.TB
	clk *clock.Mock
}

func (t onMock) Clock() clock.Clock { return t.clk }

func newRegistry(t *testing.T, cfg registry.Config) (*registry.Registry, *clock.Mock) {
	clk := clock.NewMock()
	return registry.NewT(onMock{t, clk}, cfg), clk
}

func succeeds(context.Context) error { return nil }

// results calls the breaker once for each letter: s succeeds, f fails.
func results(b *breaker.Breaker, letters string) {
	for _, l := range letters {
		_ = b.Do(ctx, func(context.Context) error {
			if l == 'f' {
				return errDown
			}
			return nil
		})
	}
}

func get(t *testing.T, r *registry.Registry, name string) *breaker.Breaker {
	t.Helper()
	b, err := r.Get(name)
	require.NoError(t, err)
	return b
}

func names(r *registry.Registry) (ns []string) {
	for _, s := range r.Stats() {
		ns = append(ns, s.Name)
	}
	return ns
}

func TestRegistryMakesOneBreakerPerName(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{
		Default:   breaker.Config{FailureThreshold: 2},
		Overrides: map[string]breaker.Config{"slow": {FailureThreshold: 1, ResetTimeout: time.Hour}},
	})
	require.Same(t, get(t, r, "a"), get(t, r, "a"))
	require.NotSame(t, get(t, r, "a"), get(t, r, "b"))
	results(get(t, r, "a"), "f")
	results(get(t, r, "slow"), "f")
	get(t, r, "a").RequireState(t, breaker.Closed)
	get(t, r, "slow").RequireState(t, breaker.Open)
	require.Equal(t, time.Hour, get(t, r, "slow").Stats().RetryAfter)
	require.Equal(t, []string{"a", "b", "slow"}, names(r))

	r.ResetAll()
	for _, s := range r.Stats() {
		require.Equal(t, breaker.Closed, s.State)
		require.Zero(t, s.Counts)
	}
	_, err := r.Get("")
	require.EqualError(t, err, "registry: Get: the name is empty")
}

// An override takes the clock and the hook of the default, and every name draws
// its own jitter.
func TestRegistryInheritance(t *testing.T) {
	var got []string
	jittery := breaker.Config{FailureThreshold: 1, Jitter: 1}
	def := jittery
	def.OnTransition = func(t breaker.Transition) { got = append(got, t.Breaker) }
	r, clk := newRegistry(t, registry.Config{Default: def, Overrides: map[string]breaker.Config{"b": jittery}})
	var waits [3]time.Duration
	for i, name := range []string{"a", "b", "c"} {
		b := get(t, r, name)
		results(b, "f")
		clk.Add(b.Stats().RetryAfter)
		results(b, "f")
		waits[i] = b.Stats().RetryAfter
	}
	require.Equal(t, strings.Split("a a a b b b c c c", " "), got)
	require.NotEqual(t, waits[0], waits[1])
	require.NotEqual(t, waits[0], waits[2])
	require.NotEqual(t, waits[1], waits[2])
}

// An override takes from the default what it leaves open, and keeps what it has.
func TestOverridesInheritWhatTheyLeaveOpen(t *testing.T) {
	type side struct {
		clk    *clock.Mock
		log    event.Log
		heard  []string
		stream tb.Stream
	}
	config := func(s *side) breaker.Config {
		s.clk = clock.NewMock()
		return breaker.Config{Jitter: 1, Clock: s.clk, EventLog: &s.log, Stream: s.stream,
			OnTransition: func(t breaker.Transition) { s.heard = append(s.heard, t.Breaker) }}
	}
	base, own := side{stream: tb.NewStream(1, "base")}, side{stream: tb.NewStream(1, "own")}
	r, err := registry.New(registry.Config{Default: config(&base), Overrides: map[string]breaker.Config{"bare": {Jitter: 1}, "own": config(&own)}})
	require.NoError(t, err)
	own.clk.Add(time.Hour)
	wait := func(s tb.Stream) time.Duration {
		b, err := breaker.New(breaker.Config{Clock: clock.NewMock(), Jitter: 1, Stream: s})
		require.NoError(t, err)
		b.Trip()
		return b.Stats().RetryAfter
	}
	for name, want := range map[string]struct {
		side *side
		wait time.Duration
	}{
		"plain": {&base, wait(base.stream.Sub("plain"))},
		"bare":  {&base, wait(base.stream.Sub("bare"))},
		"own":   {&own, wait(own.stream)},
	} {
		b := get(t, r, name)
		b.Trip()
		require.Equal(t, want.wait, b.Stats().RetryAfter, name)
		require.True(t, want.side.clk.Now().Equal(b.Transitions()[0].At), name)
	}
	require.ElementsMatch(t, []string{"plain", "bare"}, base.heard)
	require.Equal(t, []string{"own"}, own.heard)
	marks, _ := base.log.Marks()
	require.Len(t, marks, 2)
	marks, _ = own.log.Marks()
	require.Len(t, marks, 1)
}

// New checks the Config of a breaker that begins forced open, and makes none.
func TestNewMakesNoBreaker(t *testing.T) {
	var log event.Log
	heard := 0
	r, err := registry.New(registry.Config{Default: breaker.Config{
		Mode: breaker.ForcedOpen, EventLog: &log, OnTransition: func(breaker.Transition) { heard++ },
	}})
	require.NoError(t, err)
	marks, _ := log.Marks()
	require.Empty(t, marks)
	require.Zero(t, heard)
	get(t, r, "a").RequireState(t, breaker.Open)
	require.Equal(t, 1, heard)
}

// Hooks of the Config join the registry with other breakers, and those of an override
// leave it.
func TestHooksOfTheConfig(t *testing.T) {
	var hooks, apart breaker.Hooks
	var got []string
	var r *registry.Registry
	hook := func(tr breaker.Transition) {
		got = append(got, "begin "+tr.Breaker)
		switch tr.Breaker {
		case "other":
			get(t, r, "a").Trip()
		case "a":
			get(t, r, "apart").Trip()
		}
		got = append(got, "end "+tr.Breaker)
	}
	r, _ = newRegistry(t, registry.Config{
		Default:   breaker.Config{OnTransition: hook, Hooks: &hooks},
		Overrides: map[string]breaker.Config{"apart": {OnTransition: hook, Hooks: &apart}},
	})
	breaker.NewT(t, breaker.Config{Name: "other", OnTransition: hook, Hooks: &hooks}).Trip()
	require.Equal(t, []string{"begin other", "end other", "begin a", "begin apart", "end apart", "end a"}, got)
}

func TestRegistryLookupMakesNothing(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{Max: 2})
	_, ok := r.Lookup("a")
	require.False(t, ok)
	require.Empty(t, r.Stats())
	a := get(t, r, "a")
	get(t, r, "b")
	b, ok := r.Lookup("a")
	require.True(t, ok)
	require.Same(t, a, b)
	get(t, r, "c")
	require.Equal(t, []string{"b", "c"}, names(r), "Lookup is no use")
}

func TestRegistryRemove(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{})
	a := get(t, r, "a")
	a.Trip()
	require.True(t, r.Remove("a"))
	require.False(t, r.Remove("a"))
	require.Empty(t, r.Stats())
	require.ErrorIs(t, a.Do(ctx, succeeds), breaker.ErrOpen, "a breaker in use goes on")
	require.NotSame(t, a, get(t, r, "a"))
	get(t, r, "a").RequireState(t, breaker.Closed)
}

// One function, several breakers, one of them with an override: one call at a time, in order.
func TestRegistryCallsOneHookAtATime(t *testing.T) {
	var r *registry.Registry
	var got []string
	hook := func(tr breaker.Transition) {
		got = append(got, tr.Breaker+" begins")
		if tr.Breaker == "a" {
			get(t, r, "b").Trip()
			get(t, r, "c").Trip()
		}
		got = append(got, tr.Breaker+" ends")
	}
	r, err := registry.New(registry.Config{
		Default:   breaker.Config{OnTransition: hook},
		Overrides: map[string]breaker.Config{"c": {OnTransition: hook}},
	})
	require.NoError(t, err)
	get(t, r, "a").Trip()
	require.Equal(t, []string{"a begins", "a ends", "b begins", "b ends", "c begins", "c ends"}, got)
}

// Without a test each breaker draws its own jitter, anew in every registry; in a test all of
// them repeat.
func TestRegistryDrawsStreams(t *testing.T) {
	cfg := registry.Config{Default: breaker.Config{Jitter: 1}}
	wait := func(r *registry.Registry, name string) time.Duration {
		b := get(t, r, name)
		b.Trip()
		return b.Stats().RetryAfter.Round(time.Second)
	}
	fresh := func() *registry.Registry {
		cfg.Default.Clock = clock.NewMock()
		r, err := registry.New(cfg)
		require.NoError(t, err)
		return r
	}
	seen := map[time.Duration]bool{}
	for range 10 {
		r := fresh()
		seen[wait(r, "a")], seen[wait(r, "b")] = true, true
	}
	require.Greater(t, len(seen), 5)
	one, _ := newRegistry(t, cfg)
	two, _ := newRegistry(t, cfg)
	require.Equal(t, wait(one, "a"), wait(two, "a"))
	require.NotEqual(t, wait(one, "b"), wait(one, "c"))
}

// A punctual breaker of a test's registry is silent when the test has ended.
func TestRegistryOfATestEndsItsAlarms(t *testing.T) {
	clk, calls := clock.NewMock(), 0
	tbtest.Run("ends", func(t *tbtest.TB) {
		r := registry.NewT(t, registry.Config{Default: breaker.Config{Clock: clk, Punctual: true, OnTransition: func(breaker.Transition) { calls++ }}})
		b, err := r.Get("a")
		require.NoError(t, err)
		b.Trip()
	})
	clk.Add(time.Hour)
	require.Equal(t, 1, calls)
}

func TestPrintingARegistry(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{})
	get(t, r, "a")
	require.Equal(t, "registry: 1 breaker", fmt.Sprintf("%#v", r))
	get(t, r, "b")
	require.Equal(t, "registry: 2 breakers", fmt.Sprint(r))
	require.Equal(t, "<nil>", fmt.Sprint((*registry.Registry)(nil)))
}

func TestRegistryClose(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{})
	b := get(t, r, "a")
	r.Close()
	r.Close()
	_, err := r.Get("a")
	require.ErrorIs(t, err, registry.ErrClosed)
	require.Empty(t, r.Stats())
	require.NoError(t, b.Do(ctx, succeeds), "a breaker in use goes on working")

	var of *registry.Registry
	rec := tbtest.Run("closes", func(t *tbtest.TB) { of = registry.NewT(t, registry.Config{}) })
	require.False(t, rec.Failed())
	_, err = of.Get("a")
	require.ErrorIs(t, err, registry.ErrClosed, "closed when its test ends")
}

func TestRegistryConfigRejectsNonsense(t *testing.T) {
	for want, cfg := range map[string]registry.Config{
		"registry: Config.Max: -1 is negative":                                    {Max: -1},
		`registry: Config.Default.Name: "x" is set, but Get gives the names`:      {Default: breaker.Config{Name: "x"}},
		"registry: Config.Default: breaker: Config.Probes: -1 is negative":        {Default: breaker.Config{Probes: -1}},
		`registry: Config.Overrides["a"]: breaker: Config.Probes: -1 is negative`: {Overrides: map[string]breaker.Config{"a": {Probes: -1}}},
		`registry: Config.Overrides["a"].Name: "b" is not the name it is for`:     {Overrides: map[string]breaker.Config{"a": {Name: "b"}}},
		`registry: Config.Default: breaker: Config.Mode: Mode(9) does not exist`:  {Default: breaker.Config{Mode: 9}},
	} {
		_, err := registry.New(cfg)
		require.EqualError(t, err, want)
		rec := tbtest.Run("bad", func(t *tbtest.TB) { registry.NewT(t, cfg) })
		require.Equal(t, want, rec.Errors())
	}
}

func TestRegistryUnderConcurrency(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{Max: 8, Default: breaker.Config{
		FailureThreshold: 2, EventLog: new(event.Log),
	}})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				b, err := r.Get(fmt.Sprint((g*31 + i*7) % 20))
				if err != nil {
					require.ErrorIs(t, err, registry.ErrFull)
					r.ResetAll()
					continue
				}
				results(b, "sf")
				_ = r.Stats()
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, len(r.Stats()), 8)
	r.Close()
}
