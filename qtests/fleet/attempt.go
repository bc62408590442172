package fleet

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/route"
)

// kind says why an attempt is made.
type kind int

const (
	first kind = iota
	again      // a retry
	also       // a hedge
)

// An attempt is one request to one instance.
type attempt struct {
	call   *call
	kind   kind
	inst   *Instance // nil: there is none
	sent   *process  // that got the request; nil: none did
	target *route.Target
	ctx    context.Context
	began  time.Time
	fault  error // why it is not sent
	ended  bool  // belongs to the lock

	underWay // at sent
}

// open chooses an instance and counts the attempt.
func (c *call) open(k kind) *attempt {
	f := c.fleet
	a := &attempt{call: c, kind: k, began: f.clk.Now()}
	a.ctx, a.cancel = context.WithCancelCause(c.req.Context())
	f.read(func(s *state) {
		switch k {
		case first:
			s.attempts.First++
		case again:
			s.attempts.Retries++
		default:
			s.attempts.Hedges++
		}
		target, err := s.pick(c)
		if err != nil {
			s.attempts.NoInstance++
			a.fault = ErrNoInstance
			return
		}
		c.tried = append(c.tried, target)
		a.target, a.inst = target, s.endpoints[target.ID]
		s.countsOf(a.inst).begin()
		s.aim(a)
	})
	return a
}

// aim sends an attempt to the process of its instance, or says why not.
func (s *state) aim(a *attempt) {
	switch i := a.inst; {
	case i.lost:
		a.fault = errOutOfReach
	case !i.serves():
		a.fault = refusedBy(i.name)
	default:
		a.sent = i.process
		i.process.attempts.add(&a.underWay)
	}
}

// pick chooses an instance: of the release that the deployment says, and another one than before.
func (s *state) pick(c *call) (*route.Target, error) {
	rq := route.Request{Key: c.key, Zone: c.zone}
	if len(c.tried) > 0 {
		rq.Exclude = func(t *route.Target) bool {
			for _, x := range c.tried {
				if x == t {
					return true
				}
			}
			return false
		}
	}
	now := s.fleet.clk.Now()
	if d := s.deploys.current(); d != nil && d.share >= 0 {
		coming := s.fleet.stream.Sub("canary").At(c.number).Float64() < d.share
		rq.Within = func(t *route.Target) bool { return (s.endpoints[t.ID].release == s.next) == coming }
		if t, err := s.balancer.Pick(now, rq); err == nil {
			return t, nil
		}
		rq.Within = nil // the other group, rather than none
	}
	return s.balancer.Pick(now, rq)
}

// send makes the attempt, the n-th of its call, and returns when its answer begins.
func (a *attempt) send(n int) (*http.Response, error) {
	resp, err := a.roundTrip(n)
	if err != nil {
		a.end(judge(nil, err))
		return nil, err
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	resp.Body = &answerBody{ReadCloser: resp.Body, attempt: a, resp: resp}
	return resp, nil
}

func (a *attempt) roundTrip(n int) (*http.Response, error) {
	f, req := a.call.fleet, a.call.req
	if a.fault != nil {
		closeBody(req)
		if a.fault == errOutOfReach {
			return nil, a.outOfReach()
		}
		return nil, a.fault
	}
	body, err := a.call.bodyOf(n)
	if err != nil {
		return nil, err
	}
	if d := f.cfg.Retry.PerTry; d > 0 { // for the beginning of the answer
		timer := f.clk.AfterFunc(d, func() { a.cancel(context.DeadlineExceeded) })
		defer timer.Stop()
	}
	sent := req.WithContext(a.ctx)
	sent.Body = body
	resp, err := a.sent.transport.RoundTrip(sent)
	if err != nil && a.ctx.Err() == nil { // http.Client.Timeout ends the request, and its context at the same instant
		<-f.clk.After(0)
	}
	if err != nil && a.ctx.Err() != nil {
		err = context.Cause(a.ctx)
	}
	return resp, err
}

// outOfReach is a connection to nowhere.
func (a *attempt) outOfReach() error {
	f := a.call.fleet
	ctx, cancel := f.clk.WithTimeout(a.ctx, f.cfg.ConnectTimeout)
	defer cancel()
	<-ctx.Done()
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	return errOutOfReach
}

// end counts what became of the attempt, once.
func (a *attempt) end(o outcome, why reason, status int) {
	f := a.call.fleet
	a.cancel(nil)
	f.change(func(s *state) {
		if a.ended {
			return
		}
		a.ended = true
		if a.kind != first {
			s.budget.Give()
		}
		if a.inst == nil {
			return
		}
		now := f.clk.Now()
		latency := now.Sub(a.began)
		s.balancer.Done(now, a.target, latency, status)
		s.served(a.inst, o, why, latency)
		if a.sent != nil {
			a.sent.attempts.remove(&a.underWay)
			s.drained(a.inst)
		}
	})
}

// answerBody sees the end of an answer.
type answerBody struct {
	io.ReadCloser
	attempt *attempt
	resp    *http.Response
	dropped bool // another attempt follows
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.finish(judge(b.resp, nil))
	case err != nil:
		b.finish(judge(nil, err))
	}
	return n, err
}

func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	b.finish(judge(b.resp, nil))
	return err
}

// finish ends the attempt, and the call unless another attempt follows.
func (b *answerBody) finish(o outcome, why reason, status int) {
	b.attempt.end(o, why, status)
	if !b.dropped {
		b.attempt.call.finish(o, why, status)
	}
}

// discard drops an answer in whose place another one comes.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	resp.Body.(*answerBody).dropped = true
	drain(resp)
}
