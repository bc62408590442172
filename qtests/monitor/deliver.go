package monitor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// maxQueue is how many notifications wait for one channel. A group has at most one
// under way, so that only more groups than this fill it.
const maxQueue = 256

// A receiver is one channel with its queue and its goroutine.
type receiver struct {
	guard
	channel Channel
	queue   chan alert.Notification
}

func newReceiver(i int, c Channel) *receiver {
	name := fmt.Sprintf("channel %d%s", i, describe(c))
	return &receiver{newGuard(name), c, make(chan alert.Notification, maxQueue)}
}

// describe says what a channel is: its String, or the name of its type. The name of
// a function's type says nothing.
func describe(c Channel) string {
	if s, ok := c.(fmt.Stringer); ok {
		return " (" + s.String() + ")"
	}
	t := reflect.TypeOf(c)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Func {
		return ""
	}
	return " (" + t.Name() + ")"
}

// flush hands what is due at the instant to the receivers. It never blocks; the
// goroutines of the receivers wake after the lock is free.
func (m *Monitor) flush(s *state, at time.Time) {
	var wakes []func()
	for _, n := range s.dispatcher.Flush(at) {
		r := m.receivers[n.Receiver]
		if len(r.queue)+len(wakes) >= maxQueue { // any of the wakes may be for this queue
			s.dispatcher.Done(n, false)
			_ = s.status.note(fmt.Errorf("monitor: %s: %d notifications are waiting already", r.name, maxQueue))
			continue
		}
		wakes = append(wakes, func() {
			select {
			case r.queue <- n:
			case <-m.ctx.Done():
			}
		})
	}
	bubble.InTurn(m.clk, wakes...)
}

// serve is the goroutine of one receiver.
func (m *Monitor) serve(r *receiver) {
	for {
		select {
		case n := <-r.queue:
			err := m.deliver(r, n)
			m.locked(func(s *state) { m.delivered(s, r, n, err) })
		case <-m.ctx.Done():
			return
		}
	}
}

// delivered takes the end of a delivery.
func (m *Monitor) delivered(s *state, r *receiver, n alert.Notification, err error) {
	s.dispatcher.Done(n, err == nil)
	switch {
	case err == nil:
		s.status.Notified++
	case !errors.Is(err, ErrClosed):
		s.status.NotifyErrors++
		_ = s.status.note(fmt.Errorf("monitor: %s: %w", r.name, err))
		m.cfg.EventLog.Add(m.clk.Now(), r.name, "failed: "+err.Error())
	}
}

// deliver sends a notification, again and again until the group interval is over.
func (m *Monitor) deliver(r *receiver, n alert.Notification) error {
	deadline := n.At.Add(m.cfg.Route.GroupInterval)
	public := newNotification(n, r.name)
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		left := m.clk.Until(deadline)
		if left <= 0 {
			left = time.Millisecond // it waited for long: one attempt is made
		}
		err := r.do(m.ctx, m.clk, left, func(ctx context.Context) error { return r.channel.Notify(ctx, public) })
		if err == nil || errors.Is(err, ErrPermanent) || errors.Is(err, ErrClosed) || m.clk.Until(deadline) <= wait {
			return err
		}
		timer := m.clk.Timer(wait)
		select {
		case <-timer.C:
		case <-m.ctx.Done():
			timer.Stop()
			return err
		}
	}
}
