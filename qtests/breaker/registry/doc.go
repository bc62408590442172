// Package registry makes and keeps circuit breakers by name: one for each upstream, tenant
// or host.
//
//	breakers, err := registry.New(registry.Config{Default: breaker.Config{FailureRate: 0.5}})
//	b, err := breakers.Get(host) // makes it at the first call
//	err = b.Do(ctx, call)
//
// # Bounds
//
// A [Registry] holds at most [Config].Max breakers. To make room it evicts the idle breaker
// that Get has not returned for longest. Idle means closed, in the mode of its Config, without
// calls in flight and without script; a breaker that is open, half-open or forced stays.
//
// A caller that keeps the pointer of an evicted breaker can go on using it, but Get makes
// another one under that name. Ask Get for each call, or make Max large enough for all names.
//
// # Hooks
//
// The breakers of a registry call OnTransition one at a time, in the order of their
// transitions, whichever breaker they belong to; Transition.Breaker is its name. An override
// with a function of its own waits in the same line. Nothing is called under a lock.
//
// # Metrics
//
// metrics.OfAll(registry.Stats), of package breaker/metrics, is the Prometheus collector of the
// breakers that are there.
package registry
