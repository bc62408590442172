package fleet

import "net/http"

// A hedge is the second attempt of a call, which may be made.
type hedge struct {
	call *call
	one  *attempt
	two  *attempt // nil: not made; belongs to the lock, as decided

	decided bool          // which result counts
	have    bool          // two has a result, which nobody has dropped
	ended   chan struct{} // closed when two is through
	resp    *http.Response
	err     error
}

// start makes the second attempt when the first has no result yet. It is called by a timer.
func (h *hedge) start() {
	f, decided := h.call.fleet, false
	f.read(func(*state) { decided = h.decided })
	if decided || !h.call.takeBudget() {
		return
	}
	defer close(h.ended)
	two := h.call.open(also)
	f.read(func(*state) { h.two = two })
	h.resp, h.err = two.send(0)
	o, _, _ := judge(h.resp, h.err)
	won := false
	f.read(func(*state) {
		h.have = !h.decided
		won = h.have && o == answered
		h.decided = h.decided || won
	})
	switch {
	case won:
		h.one.cancel(errHedged)
	case !h.have:
		discard(h.resp)
	}
}

// choose returns the result that counts, given the result of the first attempt.
func (h *hedge) choose(resp *http.Response, err error) (*http.Response, error) {
	o, _, _ := judge(resp, err)
	var two *attempt
	have, lost := false, false
	h.call.fleet.read(func(*state) {
		two, have, lost = h.two, h.have, h.decided
		if two == nil || o == answered {
			h.decided = true
		}
	})
	switch {
	case two == nil:
		return resp, err
	case o == answered && !lost:
		two.cancel(errHedged)
		if have {
			discard(h.resp)
		}
		return resp, err
	}
	discard(resp)
	<-h.ended
	return h.resp, h.err
}
