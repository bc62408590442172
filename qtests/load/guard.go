package load

import "time"

// abortEvery is how often a run looks at the thresholds that may abort it.
const abortEvery = time.Second

// guard looks at the thresholds that abort the run, at every full second. It goes
// by the clock and not by the requests, because a system that hangs ends none,
// and is the first that should be given up.
func (r *run) guard() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.judge.Aborts() {
		r.guardLocked(1)
	}
}

// guardLocked arms the look at second k. stopLocked stops its timer.
func (r *run) guardLocked(k time.Duration) {
	r.mu.guard = r.clk.AfterFunc(r.clk.Until(r.start.Add(k*abortEvery)), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.mu.stopped {
			return
		}
		if broken := r.mu.judge.Look(r.offset()); broken != nil {
			r.mu.aborted = true
			r.stopLocked(broken)
			return
		}
		r.guardLocked(k + 1)
	})
}

// grace is how long what is under way may take after the last arrival: not at all
// when a threshold aborted the run.
func (r *run) grace() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.aborted {
		return 0
	}
	return r.Grace
}
