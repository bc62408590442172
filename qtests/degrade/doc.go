// Package degrade gives a worse answer where the best one cannot be had: a fallback, an old value, a page without
// a part of it. It is for production as for tests: it links no package testing, and waits on no clock but the one it is given.
//
//	meter := degrade.NewMeter(degrade.MeterConfig{})
//	prices, _ := degrade.NewCache[string, int](degrade.CacheConfig{Name: "prices", Fresh: time.Minute, Stale: time.Hour})
//	http.Handle("/", meter.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		price, _, err := prices.Get(r.Context(), id, load)              // an hour old at most, while load fails
//		tips, _, _ := degrade.Fallback(r.Context(), "tips", ask, none)  // none, if ask fails
//		…
//	})))
//
// # Terms
//
// The grade of an answer is Full, Degraded, Refused or Failed. A request is degraded when something in it called [Mark] with its context, as Fallback and Cache
// do: [Meter.Handler] counts it then, with the names, and says them in the header Degraded if nothing was written before. A request is refused if its status
// is 429 or 503, and failed if it is another one from 500 on, or if its handler panicked. offered = full + degraded + refused + failed + in flight.
//
// # Stale values
//
// A [Cache] has values for Fresh without asking. Then it asks with every Get, and if that fails gives the old value, marked, until it is Stale
// old; after that the error. It has at most Max values, and drops the one that was not used for longest.
//
// # Switches
//
// A [Switch] turns a feature off while something is not well. Results are told to [Switch.Report]; the health is the share of successes in the last Window, if there are
// at least MinResults of them. Below OffBelow the feature is off, for at least Hold; then it is tried again, with one request in every Hold/10 at most, and on when
// what is reported since is at or above OnAbove. [Switch.On] says how it stands.
package degrade
