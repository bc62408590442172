package breaker

import (
	"fmt"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/tb"
)

// The reference keeps every result of the present generation and computes
// everything from them anew: it has no counter, no ring and no bucket. Its
// functions are 60 lines.
type reference struct {
	c                       Config
	now, until, begun       time.Duration
	state                   State
	mode                    Mode
	gen, halfOpens, running int
	results                 []refCall
	log                     []string
}

// A refCall is a call, and later its result.
type refCall struct {
	mark
	gen int // 0 counts for nothing: only Observe let it pass
	at  time.Duration
}

var one = map[bool]int{true: 1}

func (r *reference) enter(s State, at time.Duration) {
	if s != r.state {
		r.log = append(r.log, fmt.Sprint(s, " at ", at))
		r.halfOpens = map[State]int{Open: r.halfOpens, HalfOpen: r.halfOpens + 1}[s]
	}
	wait := min(float64(r.c.ResetTimeout)*math.Pow(r.c.BackoffFactor, float64(r.halfOpens)), float64(r.c.MaxResetTimeout), 1e18)
	r.state, r.until, r.gen, r.results, r.running = s, at+time.Duration(wait), r.gen+1, nil, 0
}

func (r *reference) tick(d time.Duration) {
	if r.now += d; r.state == Open && r.mode != ForcedOpen && r.now >= r.until {
		r.enter(HalfOpen, r.until)
	}
	if r.state == HalfOpen && r.running > 0 && r.now >= r.begun+r.c.ProbeTimeout {
		r.enter(Open, r.begun+r.c.ProbeTimeout)
		r.tick(0)
	}
}

func (r *reference) begin() (refCall, bool) {
	if r.state != Closed && (r.state == Open || len(r.results)+r.running == r.c.Probes) {
		return refCall{}, r.mode == Observing
	}
	if r.running++; r.running == 1 {
		r.begun = r.now
	}
	return refCall{gen: r.gen, at: r.now}, true
}

func (r *reference) end(call refCall, o outcome) {
	if call.gen != r.gen {
		return
	}
	if r.running--; o == ignored {
		return
	}
	slow := r.c.SlowCall > 0 && tb.Round(r.now-call.at) > r.c.SlowCall
	bad := o == failure || slow && r.state == HalfOpen && r.c.SlowCallRate > 0
	r.results = append(r.results, refCall{mark{bad, slow}, r.gen, r.now})
	calls, recent, run, failed := r.sums()
	opens := r.c.FailureThreshold > 0 && run >= r.c.FailureThreshold
	for _, w := range []Window{calls, recent} {
		byFailures, bySlow := float64(w.Failures)/float64(w.Calls), float64(w.Slow)/float64(w.Calls)
		opens = opens || w.Calls >= max(1, r.c.MinCalls) && (r.c.FailureRate > 0 && byFailures >= r.c.FailureRate || r.c.SlowCallRate > 0 && bySlow >= r.c.SlowCallRate)
	}
	switch n, byRate := len(r.results), r.c.ProbeFailureRate > 0; {
	case r.state == Closed && (!opens || r.mode == ForcedClosed), r.state == HalfOpen && byRate && n < r.c.Probes:
	case r.state == Closed, byRate && float64(failed)/float64(n) >= r.c.ProbeFailureRate, !byRate && failed > 0:
		r.enter(Open, r.now)
	case byRate, n >= r.c.SuccessThreshold:
		r.enter(Closed, r.now)
	}
}

func (r *reference) sums() (calls, recent Window, run, failed int) {
	for i, c := range r.results {
		n := time.Duration(r.c.WindowBuckets)
		run, failed = (run+1)*one[c.failed], failed+one[c.failed]
		calls.count(c.mark, one[i >= len(r.results)-r.c.WindowCalls])
		recent.count(c.mark, one[r.c.Window > 0 && c.at/(r.c.Window/n) > r.now/(r.c.Window/n)-n])
	}
	return calls, recent, run, failed
}
