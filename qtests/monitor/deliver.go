package monitor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
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
	name := fmt.Sprintf("channel %d", i)
	if s, ok := c.(fmt.Stringer); ok {
		name += " (" + s.String() + ")"
	} else if t := fmt.Sprintf("%T", c); !strings.Contains(t, "Func") {
		name += " (" + t[strings.LastIndexByte(t, '.')+1:] + ")"
	}
	return &receiver{newGuard(name), c, make(chan alert.Notification, maxQueue)}
}

// flushLocked hands what is due at the instant to the receivers. It is called with
// m.mu held and never blocks; the goroutines wake after it.
func (m *Monitor) flushLocked(at time.Time) {
	var wakes []func()
	for _, n := range m.mu.dispatcher.Flush(at) {
		r := m.receivers[n.Receiver]
		if len(r.queue)+len(wakes) >= maxQueue { // any of the wakes may be for this queue
			m.mu.dispatcher.Done(n, false)
			_ = m.mu.status.note(fmt.Errorf("monitor: %s: %d notifications are waiting already", r.name, maxQueue))
			continue
		}
		wakes = append(wakes, func() {
			select {
			case r.queue <- n:
			case <-m.ctx.Done():
			}
		})
	}
	qtests.InTurn(m.clk, wakes...)
}

// serve is the goroutine of one receiver.
func (m *Monitor) serve(r *receiver) {
	for {
		select {
		case n := <-r.queue:
			err := m.deliver(r, n)
			m.mu.Lock()
			m.mu.dispatcher.Done(n, err == nil)
			if err == nil {
				m.mu.status.Notified++
			} else if !errors.Is(err, ErrClosed) {
				m.mu.status.NotifyErrors++
				_ = m.mu.status.note(fmt.Errorf("monitor: %s: %w", r.name, err))
				m.cfg.EventLog.Add(m.clk.Now(), r.name, "failed: "+err.Error())
			}
			m.mu.Unlock()
		case <-m.ctx.Done():
			return
		}
	}
}

// deliver sends a notification, again and again until the group interval is over.
func (m *Monitor) deliver(r *receiver, n alert.Notification) error {
	deadline := n.At.Add(m.cfg.Route.GroupInterval)
	public := newNotification(n, r.name)
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		left := m.clk.Until(deadline)
		if left <= 0 {
			left = time.Millisecond // it was queued for long: one attempt all the same
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
