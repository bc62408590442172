package qtests

import (
	"slices"

	"github.com/go-qtests/qtests/qtests/internal/leftbehind"
	"github.com/go-qtests/qtests/qtests/internal/tenancy"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Allow lets goroutines stay behind in every bubble of [Run] that ends after the
// call. It is for those that a library gives no way to end, and belongs into
// TestMain, or an init function of a file of tests:
//
//	func TestMain(m *testing.M) {
//		qtests.Allow("github.com/hashicorp/golang-lru/v2/expirable.NewLRU[...].func1")
//		os.Exit(m.Run())
//	}
//
// A goroutine may stay when one of the names belongs to the function in which it
// waits, which is the innermost one of its stack outside of the standard
// library, or to the function that started it. A name is written as the runtime
// writes it in the failure: with the path of the package, with [...] for the
// arguments of a generic function, and with .func1 for a function literal.
//
// A bubble in which nothing but such goroutines is left passes and is left
// behind, as it is, with all that they hold: some KiB for each of them. The log
// says so once for each name. [VerifyTestMain] and [CheckLeaks] do not count
// them. The limits of the runtime hold for them as for all that is left behind:
// a finalizer or code outside that sends on a channel of that bubble ends the
// process. On the stock runtime that is what a later collection does with the janitor of
// github.com/patrickmn/go-cache, which is ended by a finalizer: make such a cache without
// the janitor, as its New(d, 0) does, or keep it in a variable of the package.
//
// Allow panics if it is given an empty name. It is safe for concurrent use.
func Allow(functions ...string) {
	if slices.Contains(functions, "") {
		panic("qtests: Allow: a name is empty")
	}
	leftbehind.Allow(functions)
}

// Allow is [Allow] for this bubble alone.
func (q *T) Allow(functions ...string) {
	q.Helper()
	if slices.Contains(functions, "") {
		tb.Fatalf(q, "qtests: Allow: a name is empty")
	}
	q.permission.Allow(functions)
}

// AllowPanics lets the handlers of [T.Serve], [T.Direct] and of components of package chaos panic in the
// test of q, from the call on: they are logged, and do not fail it. net/http recovers
// them, so that a test which looks at nothing but a status would pass. It is for tests of what a panic does.
func AllowPanics(q *T) {
	q.Helper()
	here := tenancy.Here()
	if here == nil {
		tb.Fatalf(q, "qtests: AllowPanics: outside of the bubble")
		return
	}
	here.PanicsAllowed.Store(true)
}
