package registry_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/breaker/registry"
)

// A breaker that Get returns while another call looks for a victim is no victim.
func TestGetSavesFromEviction(t *testing.T) {
	var r *registry.Registry
	r, clk := newRegistry(t, registry.Config{Max: 3, Default: breaker.Config{
		OnTransition: func(tr breaker.Transition) {
			if tr.To == breaker.HalfOpen {
				get(t, r, "wanted")
			}
		},
	}})
	get(t, r, "open").Trip()
	wanted := get(t, r, "wanted")
	get(t, r, "idle")
	clk.Add(time.Hour)
	get(t, r, "more") // looks at open, which becomes half-open, then at wanted
	require.Equal(t, []string{"more", "open", "wanted"}, names(r))
	require.Same(t, wanted, get(t, r, "wanted"))
}

func TestRegistryEvictsTheLeastRecentlyUsedIdleOne(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{Max: 3})
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
	r, clk := newRegistry(t, registry.Config{Max: 5})
	get(t, r, "open").Trip()
	get(t, r, "forced").SetMode(breaker.ForcedClosed)
	get(t, r, "observing").SetMode(breaker.Observing)
	require.NoError(t, get(t, r, "scripted").Script(breaker.RejectNext(1)))
	p, err := get(t, r, "busy").Allow()
	require.NoError(t, err)
	all := names(r)
	clk.Add(time.Hour) // "open" would be half-open, which is no better

	_, err = r.Get("more")
	require.ErrorIs(t, err, registry.ErrFull)
	require.EqualError(t, err, `registry: full: 5 breakers and none is idle, no room for "more"`)
	require.Equal(t, all, names(r))

	p.Done(nil)
	get(t, r, "more")
	require.Equal(t, []string{"forced", "more", "observing", "open", "scripted"}, names(r))
}

// The look for a victim may find a transition. Its hook runs without the registry's lock.
func TestRegistryRunsHooksOutsideItsLock(t *testing.T) {
	var r *registry.Registry
	found := 0
	r, clk := newRegistry(t, registry.Config{Max: 1, Default: breaker.Config{
		OnTransition: func(breaker.Transition) { found += len(r.Stats()) },
	}})
	get(t, r, "a").Trip()
	clk.Add(time.Hour)
	_, err := r.Get("b")
	require.ErrorIs(t, err, registry.ErrFull)
	require.Equal(t, 2, found, "open, and half-open")
	r.ResetAll()
	get(t, r, "b")
}

// A hook may even free the room that Get looks for.
func TestRegistryTakesRoomThatAHookMade(t *testing.T) {
	var r *registry.Registry
	r, clk := newRegistry(t, registry.Config{Max: 1, Default: breaker.Config{
		OnTransition: func(tr breaker.Transition) {
			if tr.To == breaker.HalfOpen {
				r.Remove(tr.Breaker)
			}
		},
	}})
	get(t, r, "a").Trip()
	clk.Add(time.Hour)
	get(t, r, "b")
	require.Equal(t, []string{"b"}, names(r))
}

// Max may be more than what is taken out of the lock at a time.
func TestRegistryFindsTheOnlyIdleBreaker(t *testing.T) {
	for _, idle := range []int{0, 31, 32, 33, 63, 64, 99} {
		r, _ := newRegistry(t, registry.Config{Max: 100})
		for i := range 100 {
			if b := get(t, r, fmt.Sprint(i)); i != idle {
				b.Trip()
			}
		}
		get(t, r, "more")
		_, ok := r.Lookup(fmt.Sprint(idle))
		require.False(t, ok, idle)
		require.Len(t, r.Stats(), 100)
		get(t, r, "0").Trip() // it is back in, if it was the one
		_, err := r.Get("and more")
		require.Equal(t, idle == 0, errors.Is(err, registry.ErrFull))
	}
}

// The mode of the Config is no reason to stay.
func TestRegistryEvictsInTheModeOfTheConfig(t *testing.T) {
	r, _ := newRegistry(t, registry.Config{Max: 2, Default: breaker.Config{Mode: breaker.Observing},
		Overrides: map[string]breaker.Config{"b": {Mode: breaker.ForcedClosed}, "c": {}}})
	for _, name := range []string{"a", "b", "c", "d"} {
		get(t, r, name)
	}
	require.Equal(t, []string{"c", "d"}, names(r))
	get(t, r, "c").SetMode(breaker.Observing)
	get(t, r, "d").SetMode(breaker.Automatic)
	_, err := r.Get("e")
	require.ErrorIs(t, err, registry.ErrFull)
}
