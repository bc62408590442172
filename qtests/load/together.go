package load

import (
	"sync"

	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// RunAll runs scenarios side by side, from one start, and returns their results in the order of the
// arguments. Every scenario needs a name of its own, because its random streams derive from the name.
// If something is wrong with a scenario, RunAll fails t before any of them starts.
func RunAll(t tb.TB, scenarios ...Scenario) []*result.Result {
	t.Helper()
	runs := make([]*run, len(scenarios))
	names := map[string]bool{}
	for i, s := range scenarios {
		r, err := prepare(t, s)
		if err != nil {
			tb.Fatalf(t, "%v", err)
		}
		if names[r.Name] {
			tb.Fatalf(t, "load: RunAll: two scenarios are called %q", r.Name)
		}
		names[r.Name] = true
		runs[i] = r
		r.keepFor(t)
	}
	if err := meetOnce(runs); err != nil {
		tb.Fatalf(t, "%v", err)
	}
	results := make([]*result.Result, len(runs))
	errs := make([]error, len(runs))
	var wg sync.WaitGroup
	wg.Add(len(runs))
	// Each start arms the next one before it begins, so that the first events of the scenarios have
	// an order.
	var start func(i int)
	start = func(i int) {
		if i+1 < len(runs) {
			runs[i].clk.AfterFunc(0, func() { start(i + 1) })
		}
		defer wg.Done()
		results[i], errs[i] = runs[i].execute()
	}
	if len(runs) > 0 {
		go start(0)
	}
	wg.Wait()
	for i, res := range results {
		if errs[i] != nil {
			tb.Fatalf(t, "%v", errs[i])
		}
		reportTo(t, res)
	}
	return results
}

// meetOnce finds one start for runs side by side.
func meetOnce(runs []*run) error {
	for i, r := range runs {
		if err := r.meet(); err != nil {
			return err
		}
		if i > 0 {
			r.share.begin = runs[0].share.begin
		}
	}
	return nil
}
