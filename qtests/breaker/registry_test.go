package breaker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func newRegistry(t *testing.T, cfg breaker.RegistryConfig) (*breaker.Registry, *hand) {
	h := newByHand(t)
	return breaker.NewRegistryT(h, cfg), h.clk
}

func get(t *testing.T, r *breaker.Registry, name string) *breaker.Breaker {
	t.Helper()
	b, err := r.Get(name)
	require.NoError(t, err)
	return b
}

func names(r *breaker.Registry) (ns []string) {
	for _, s := range r.Stats() {
		ns = append(ns, s.Name)
	}
	return ns
}

func TestRegistryMakesOneBreakerPerName(t *testing.T) {
	r, _ := newRegistry(t, breaker.RegistryConfig{
		Default:   breaker.Config{FailureThreshold: 2},
		Overrides: map[string]breaker.Config{"slow": {FailureThreshold: 1, ResetTimeout: time.Hour}},
	})
	require.Same(t, get(t, r, "a"), get(t, r, "a"))
	require.NotSame(t, get(t, r, "a"), get(t, r, "b"))
	results(get(t, r, "a"), "f")
	results(get(t, r, "slow"), "f")
	get(t, r, "a").RequireState(t, breaker.Closed)
	get(t, r, "slow").RequireState(t, breaker.Open)
	require.Equal(t, time.Hour, get(t, r, "slow").RetryAfter())
	require.Equal(t, []string{"a", "b", "slow"}, names(r))

	r.ResetAll()
	for _, s := range r.Stats() {
		require.Equal(t, breaker.Closed, s.State)
		require.Zero(t, s.Counts)
	}
	_, err := r.Get("")
	require.EqualError(t, err, "breaker: Registry.Get: the name is empty")
}

// An override takes the clock and the hook of the default, and every name draws
// its own jitter.
func TestRegistryInheritance(t *testing.T) {
	var rec recorder
	jittery := breaker.Config{FailureThreshold: 1, Jitter: 1}
	def := jittery
	def.OnTransition = rec.hook
	r, clk := newRegistry(t, breaker.RegistryConfig{Default: def, Overrides: map[string]breaker.Config{"b": jittery}})
	var waits [3]time.Duration
	for i, name := range []string{"a", "b", "c"} {
		b := get(t, r, name)
		results(b, "f")
		clk.Add(30 * time.Second)
		results(b, "f")
		waits[i] = b.RetryAfter()
	}
	require.Len(t, rec.got, 9)
	require.NotEqual(t, waits[0], waits[1])
	require.NotEqual(t, waits[0], waits[2])
	require.NotEqual(t, waits[1], waits[2])
}

func TestRegistryEvictsTheLeastRecentlyUsedIdleOne(t *testing.T) {
	r, _ := newRegistry(t, breaker.RegistryConfig{Max: 3})
	a := get(t, r, "a")
	get(t, r, "b")
	get(t, r, "c")
	get(t, r, "a")
	get(t, r, "d")
	require.Equal(t, []string{"a", "c", "d"}, names(r))
	require.Same(t, a, get(t, r, "a"))
	get(t, r, "e")
	require.Equal(t, []string{"a", "d", "e"}, names(r))
}

func TestRegistryEvictsOnlyIdleBreakers(t *testing.T) {
	r, clk := newRegistry(t, breaker.RegistryConfig{Max: 5})
	get(t, r, "open").Trip()
	get(t, r, "forced").ForceClosed()
	get(t, r, "observing").Observe()
	require.NoError(t, get(t, r, "scripted").Script(breaker.RejectNext(1)))
	p := allow(t, get(t, r, "busy"))
	all := names(r)
	clk.Add(time.Hour) // "open" would be half-open, which is no better

	_, err := r.Get("more")
	require.ErrorIs(t, err, breaker.ErrRegistryFull)
	require.EqualError(t, err, `breaker: registry full: 5 breakers and none is idle, no room for "more"`)
	require.Equal(t, all, names(r))

	p.Done(nil)
	get(t, r, "more")
	require.Equal(t, []string{"forced", "more", "observing", "open", "scripted"}, names(r))
}

// Looking for a victim must not find a transition, whose hook would run under
// the registry's lock.
func TestRegistryRunsNoHookWhileItEvicts(t *testing.T) {
	var r *breaker.Registry
	r, clk := newRegistry(t, breaker.RegistryConfig{Max: 1, Default: breaker.Config{
		OnTransition: func(breaker.Transition) { _ = r.Stats() },
	}})
	get(t, r, "a").Trip()
	clk.Add(time.Hour)
	_, err := r.Get("b")
	require.ErrorIs(t, err, breaker.ErrRegistryFull)
	r.ResetAll()
	get(t, r, "b")
}

func TestRegistryClose(t *testing.T) {
	r, _ := newRegistry(t, breaker.RegistryConfig{})
	b := get(t, r, "a")
	r.Close()
	r.Close()
	_, err := r.Get("a")
	require.ErrorIs(t, err, breaker.ErrRegistryClosed)
	require.Empty(t, r.Stats())
	require.NoError(t, b.Do(ctx, succeeds), "a breaker in use goes on working")

	var of *breaker.Registry
	rec := tbtest.Run("closes", func(t *tbtest.TB) { of = breaker.NewRegistryT(t, breaker.RegistryConfig{}) })
	require.False(t, rec.Failed())
	_, err = of.Get("a")
	require.ErrorIs(t, err, breaker.ErrRegistryClosed, "closed when its test ends")
}

func TestRegistryConfigRejectsNonsense(t *testing.T) {
	for want, cfg := range map[string]breaker.RegistryConfig{
		"breaker: RegistryConfig.Max: -1 is negative":                                    {Max: -1},
		`breaker: RegistryConfig.Default.Name: "x" is set, but Get gives the names`:      {Default: breaker.Config{Name: "x"}},
		"breaker: RegistryConfig.Default: breaker: Config.Probes: -1 is negative":        {Default: breaker.Config{Probes: -1}},
		`breaker: RegistryConfig.Overrides["a"]: breaker: Config.Probes: -1 is negative`: {Overrides: map[string]breaker.Config{"a": {Probes: -1}}},
		`breaker: RegistryConfig.Overrides["a"].Name: "b" is not the name it is for`:     {Overrides: map[string]breaker.Config{"a": {Name: "b"}}},
	} {
		_, err := breaker.NewRegistry(cfg)
		require.EqualError(t, err, want)
		rec := tbtest.Run("bad", func(t *tbtest.TB) { breaker.NewRegistryT(t, cfg) })
		require.Equal(t, want, rec.Errors())
	}
}

func TestRegistryCollects(t *testing.T) {
	r, _ := newRegistry(t, breaker.RegistryConfig{})
	get(t, r, "b").Trip()
	results(get(t, r, "a"), "ss")
	other := breaker.NewT(newByHand(t), breaker.Config{Name: "alone"})
	got := gathered(t, r, other)
	require.Len(t, got, 3*(3+5+3))
	require.EqualValues(t, 1, got["breaker_state breaker=b state=open"])
	require.EqualValues(t, 2, got["breaker_calls_total breaker=a result=success"])
	require.EqualValues(t, 1, got["breaker_state breaker=alone state=closed"])
}

func TestRegistryUnderConcurrency(t *testing.T) {
	r, _ := newRegistry(t, breaker.RegistryConfig{Max: 8, Default: breaker.Config{
		FailureThreshold: 2, EventLog: new(event.Log),
	}})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				b, err := r.Get(fmt.Sprint((g*31 + i*7) % 20))
				if err != nil {
					require.ErrorIs(t, err, breaker.ErrRegistryFull)
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
