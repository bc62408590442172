package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/load/internal/monitored"
	"github.com/go-qtests/qtests/qtests/load/internal/phase"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A loop lets requests begin.
type loop interface {
	begin()
	// end gives back what waits for requests that will not come.
	end()
}

func newRun(ctx context.Context, s Scenario) (*run, error) {
	s, err := s.withDefaults()
	if err != nil {
		return nil, err
	}
	return newPart(ctx, s, partOf(isReal(s.Clock)))
}

// newPart is newRun for a part of a scenario that has its defaults.
func newPart(ctx context.Context, s Scenario, p part) (*run, error) {
	err := p.limits(&s)
	if err != nil {
		return nil, err
	}
	r := &run{
		Scenario: s, share: p, clk: s.Clock, ctx: ctx, scale: 1, fake: bubble.TieFree(s.Clock), real: isReal(s.Clock),
		users: tb.NewStream(s.Seed, "load "+s.Name).Sub("users"),
	}
	r.host = r
	if r.mu.state, err = newState(&r.Scenario, &r.share, r.real); err != nil {
		return nil, err
	}
	if r.mu.byUser {
		r.mu.visitors = newVisitors(ctx, &r.mu.state)
	} else {
		r.mu.arrivals = &arrivals{state: &r.mu.state, alarms: r.real}
		r.draw.source = r.share.source(s.Traffic.Source(r.users.Sub("gaps").Rand()))
	}
	return r, nil
}

// meet makes the run leave its result where it is one of several parts, and finds their common start.
func (r *run) meet() error {
	r.share.leave()
	return r.share.meet(r.ctx, r.test, r.Name, r.clk.Now)
}

// begin waits for the common start, if there is one, and sets the start of the run: without one it is
// now.
func (r *run) begin() error {
	now := r.clk.Now()
	r.start, r.began = now, now
	if r.share.begin.IsZero() {
		return nil
	}
	wait := r.share.begin.Sub(now)
	r.start = now.Add(wait) // with the monotonic reading
	timer := r.clk.Timer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
	r.began = r.clk.Now()
	return nil
}

// execute runs the scenario to its end.
func (r *run) execute() (*result.Result, error) {
	if r.real && r.Metrics == nil {
		m, conceal, err := expose()
		if err != nil {
			return nil, err
		}
		defer conceal()
		r.Metrics = m
	}
	if err := r.begin(); err != nil {
		return nil, err
	}
	if r.scale != 1 {
		r.EventLog.Add(r.start, "load", r.Name+": "+threshold.Scaled(r.scale, r.real)+": rates and counts are those of the scaled run")
	}
	r.Metrics.attach(r.Name, r.metrics)
	_, r.lost = r.EventLog.Marks()
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	stopEvents, err := event.Schedule(ctx, r.clk, r.EventLog, r.Events...)
	if err != nil {
		return nil, err
	}
	requests := r.loop()
	defer r.mu.live.End()
	r.watch.Begin(r.start)
	r.watchThresholds()
	requests.begin()
	r.await(r.Traffic.Duration())
	r.stop(nil)
	requests.end()
	r.drain()
	r.checkEvents(stopEvents())
	sections := r.sections()
	res := r.result()
	res.Sections = sections
	if r.made != nil {
		r.made(res.Scheduled)
	}
	r.watch.End()
	r.tellLateness(res)
	monitored.Observe(res, r.Monitor, r.clk.Now())
	if r.RequestLog != nil {
		if err := r.RequestLog.Flush(); err != nil {
			res.LogLost = text.Printable(err.Error())
		}
	}
	r.finalize(res)
	return res, r.share.deliver(res)
}

func (r *run) loop() loop {
	if r.Traffic.Kind() == traffic.Closed {
		return newClosedLoop(r)
	}
	return newOpenLoop(r)
}

// checkEvents counts what became of the events.
func (r *run) checkEvents(err error) {
	var p *event.PanicError
	if errors.As(err, &p) {
		r.panicked(&usercode.PanicError{Value: p.Value, Stack: p.Stack}, fmt.Sprintf("event %q", p.Event))
	}
}

// await waits until d has passed and nothing more will arrive, or the budget of
// requests is used up, or the run is stopped.
func (r *run) await(d time.Duration) {
	timer := r.clk.Timer(r.clk.Until(r.start.Add(d)))
	defer timer.Stop()
	select {
	case <-timer.C:
		if r.Traffic.Kind() != traffic.Closed {
			r.awaitLast()
		}
	case <-r.mu.phase.Reached(phase.Spent):
	case <-r.mu.phase.Reached(phase.Draining):
	case <-r.ctx.Done():
		r.stop(context.Cause(r.ctx))
	}
}

// awaitLast waits for the arrivals at the very end of the profile.
func (r *run) awaitLast() {
	select {
	case <-r.mu.phase.Reached(phase.Exhausted):
	case <-r.mu.phase.Reached(phase.Draining):
	case <-r.ctx.Done():
		r.stop(context.Cause(r.ctx))
	}
}

// drain gives what is under way its grace, then cancels it, one request after
// the other, and waits a little for those that ignore it.
func (r *run) drain() {
	if r.waitIdle(r.grace(), r.mu.phase.Reached(phase.Hurried)) {
		return
	}
	bubble.InTurn(r.clk, r.cancels()...)
	if !r.waitIdle(abandonAfter, nil) {
		r.abandon()
	}
}

// waitIdle waits until nothing is under way, at most for d or until cut is closed.
func (r *run) waitIdle(d time.Duration, cut <-chan struct{}) bool {
	nothing := r.mu.phase.Reached(phase.Idle)
	select {
	case <-nothing:
		return true
	default:
	}
	over := r.clk.Timer(d)
	defer over.Stop()
	select {
	case <-nothing:
		return true
	case <-over.C:
		return false
	case <-cut:
		return false
	}
}
