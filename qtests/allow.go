package qtests

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Allow lets goroutines stay behind in every bubble of [Run] that ends after the
// call. It is for those that a library gives no way to end, and belongs into
// TestMain, or an init function of a file of tests:
//
//	func TestMain(m *testing.M) {
//		qtests.Allow("github.com/patrickmn/go-cache.(*janitor).Run")
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
// process.
//
// Allow panics if it is given an empty name. It is safe for concurrent use.
func Allow(functions ...string) {
	if slices.Contains(functions, "") {
		panic("qtests: Allow: a name is empty")
	}
	allowed.Lock()
	defer allowed.Unlock()
	if allowed.names == nil {
		allowed.names, allowed.said = map[string]bool{}, map[string]bool{}
	}
	for _, name := range functions {
		allowed.names[name] = true
	}
}

// Allow is [Allow] for this bubble alone.
func (q *T) Allow(functions ...string) {
	q.Helper()
	if slices.Contains(functions, "") {
		tb.Fatalf(q, "qtests: Allow: a name is empty")
	}
	allowed.Lock()
	defer allowed.Unlock()
	q.allowed = append(q.allowed, functions...)
}

// allowed are the names that Allow was given, and those of which the log has
// spoken. The lock is for the names of all bubbles, too.
var allowed struct {
	sync.Mutex
	names, said map[string]bool
}

// mayStay takes those goroutines out of left that Allow lets stay, and counts
// them by the name that does.
func (q *T) mayStay(left []stacks.Goroutine) (rest []stacks.Goroutine, stay map[string]int) {
	allowed.Lock()
	defer allowed.Unlock()
	stay = map[string]int{}
	for _, g := range left {
		names := []string{g.WaitsIn(), g.Creator()}
		i := slices.IndexFunc(names, func(name string) bool {
			return name != "" && (allowed.names[name] || slices.Contains(q.allowed, name))
		})
		if i < 0 {
			rest = append(rest, g)
		} else {
			stay[names[i]]++
		}
	}
	return rest, stay
}

// describeAllowed says, once for each name, that goroutines were left behind.
func describeAllowed(stay map[string]int) (notes []string) {
	allowed.Lock()
	defer allowed.Unlock()
	if allowed.said == nil {
		allowed.said = map[string]bool{}
	}
	for _, name := range slices.Sorted(maps.Keys(stay)) {
		if !allowed.said[name] {
			allowed.said[name] = true
			notes = append(notes, fmt.Sprintf("qtests: the bubble is left behind with %d of the goroutines that Allow lets stay: %s. Later bubbles are, too, without a word", stay[name], name))
		}
	}
	return notes
}
