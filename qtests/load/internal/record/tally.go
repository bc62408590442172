package record

import (
	"time"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// A Tally is what is counted of one step, one tag, or a whole run.
type Tally struct {
	Name              string
	Part              bool // by User.Part, not a request of its own
	Started, Finished int64
	Errors            int64
	Response, Service result.Histogram
	lastEnd           time.Duration
	Interrupted       int64
	Timeouts          int64
	Retries, Denied   int64 // of a step
	curve             *curve
}

// count counts what ended at an instant.
func (t *Tally) count(at, response, service time.Duration, failed bool) {
	t.Finished++
	t.Response.Record(response)
	t.Service.Record(service)
	if failed {
		t.Errors++
	}
	t.lastEnd = at
	if t.curve != nil {
		t.curve.add(at, response, failed)
	}
}

// A faultTally counts the errors of one kind.
type faultTally struct {
	kind, step, text string
	count            int64
	first            time.Duration
}

type checkTally struct {
	name       string
	Passed, Of int64
}
