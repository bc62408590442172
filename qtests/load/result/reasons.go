package result

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// Reasons say why a run failed, a line for each reason: the thresholds that were not kept, panics, requests that were abandoned, a log that
// was lost, a generator that was too slow, an end before the time, and that no request came. There is none if it did not fail.
func (r *Result) Reasons() (all []string) {
	for _, v := range r.Failed() {
		all = append(all, "threshold "+v.String())
	}
	add := func(failed bool, format string, args ...any) {
		if failed {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	first, _, _ := strings.Cut(r.FirstPanic, "\n")
	add(r.Panics > 0, "code of the scenario panicked %s", strings.TrimSuffix(text.Times(r.Panics)+", the first time: "+first, ", the first time: "))
	add(r.Abandoned > 0, "%d requests ignored that their context was cancelled", r.Abandoned)
	add(r.LogLost != "", "the request log was not written to its end: %s", r.LogLost)
	add(r.Slow, "%s", r.Warning)
	add(r.Scheduled == 0 && r.Halted == "" && r.Version != 0, "no request came in %v, and so nothing was tested", text.Short(r.Elapsed))
	add(r.Halted != "", "the run ended early, at %v: %s", text.Short(r.EndedAt()), r.Halted)
	return all
}
