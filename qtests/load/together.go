package load

import (
	"sync"

	"github.com/go-qtests/qtests/qtests"
)

// RunAll runs scenarios side by side, from one start, and returns their results
// in the order of the arguments. Every scenario needs a name of its own: its
// random streams derive from it. A scenario without meaning fails t before any
// of them starts.
func RunAll(t qtests.TB, scenarios ...Scenario) []*Result {
	t.Helper()
	runs := make([]*run, len(scenarios))
	names := map[string]bool{}
	for i, s := range scenarios {
		r, err := prepare(t, s)
		if err != nil {
			qtests.Fatalf(t, "%v", err)
		}
		if names[r.Name] {
			qtests.Fatalf(t, "load: RunAll: two scenarios are called %q", r.Name)
		}
		names[r.Name] = true
		runs[i] = r
	}
	results := make([]*Result, len(runs))
	errs := make([]error, len(runs))
	var wg sync.WaitGroup
	starts := make([]func(), len(runs))
	wg.Add(len(runs))
	for i, r := range runs {
		starts[i] = func() {
			go func() {
				defer wg.Done()
				results[i], errs[i] = r.execute()
			}()
		}
	}
	if len(runs) > 0 {
		qtests.InTurn(runs[0].clk, starts...) // so that the first one's first timer is first
	}
	wg.Wait()
	for i, res := range results {
		if errs[i] != nil {
			qtests.Fatalf(t, "%v", errs[i])
		}
		res.report(t)
	}
	return results
}
