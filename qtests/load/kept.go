package load

import (
	"errors"

	"github.com/go-qtests/qtests/qtests/load/internal/keep"
	"github.com/go-qtests/qtests/qtests/load/internal/watch"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/tb"
)

// errNeverEnded is why a run was halted that had not ended when its test was over.
var errNeverEnded = errors.New("the test was over, and the run was not")

// keepFor lets a test that fails leave the run behind.
func (r *run) keepFor(t tb.TB) {
	keep.Later(t, keep.Run{Result: r.whatThereIs, Log: r.EventLog})
}

// whatThereIs is the result of the run, or what it has so far.
func (r *run) whatThereIs() *result.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.final != nil {
		return r.mu.final
	}
	if r.mu.ended.why == nil {
		at := r.mu.rec.Seen
		r.mu.ended = ending{why: errNeverEnded, at: at}
		r.mu.judge.Stop(at)
	}
	return r.resultLocked()
}

// finalize notes the result, for a test that fails later.
func (r *run) finalize(res *result.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.final = res
}

// interruptLocked ends a run in fake time because a person has pressed Ctrl-C.
//
//go:noinline
func (r *run) interruptLocked() { r.stopLocked(watch.ErrInterrupted) }
