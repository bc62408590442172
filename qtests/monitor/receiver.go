package monitor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
)

// maxQueue is how many notifications wait for one channel. A group has at most one
// under way, so that only more groups than this fill it.
const maxQueue = 256

// A receiver is one channel with its queue and its goroutine.
type receiver struct {
	guard
	public  string // what notifications call it
	channel Channel
	queue   chan alert.Notification
}

// newReceiver returns the i-th channel, of a receiver with a name if it has one.
func newReceiver(i int, c Channel, name string) *receiver {
	full := fmt.Sprintf("channel %d%s", i, describe(c))
	public := full
	if name != "" {
		full, public = "receiver "+name+": "+full, name
	}
	return &receiver{newGuard(full), public, c, make(chan alert.Notification, maxQueue)}
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

// deliver sends a notification, again and again until the group interval is over or ctx ends.
func (r *receiver) deliver(ctx context.Context, clk clock.Clock, n alert.Notification) error {
	deadline := n.At.Add(n.Node.Interval)
	public := newNotification(n, r.public)
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		left := clk.Until(deadline)
		if left <= 0 {
			left = time.Millisecond // it waited for long: one attempt is made
		}
		err := r.do(ctx, clk, left, func(ctx context.Context) error { return r.channel.Notify(ctx, public) })
		if err == nil || errors.Is(err, ErrPermanent) || errors.Is(err, ErrClosed) || clk.Until(deadline) <= wait {
			return err
		}
		timer := clk.Timer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// A telling is that a receiver took a notification with a firing alert.
type telling struct {
	receiver string
	at       time.Time
	alert    Alert
}

// maxTold bounds the tellings: later ones are not kept, as with MaxTransitions.
const maxTold = MaxTransitions

// told is the bounded list of tellings.
type told struct {
	all  []telling
	keys map[string]bool // of all
}

// remember keeps which firing alerts a receiver was told of. An alert that is told of
// again, since it still fires, is kept once.
func (t *told) remember(receiver string, at time.Time, alerts []alert.Alert) {
	if t.keys == nil {
		t.keys = map[string]bool{}
	}
	for _, a := range alerts {
		key := fmt.Sprintf("%s\xff%d\xff%s", receiver, a.FiredAt.UnixNano(), a.Key())
		if a.State == Firing && !t.keys[key] && len(t.all) < maxTold {
			t.keys[key] = true
			t.all = append(t.all, telling{receiver, at, publicAlert(a)})
		}
	}
}

// is reports whether it is about the alert that began to fire with a transition. The told
// one may have external labels beside.
func (t telling) is(x Transition) bool {
	if t.alert.Name != x.Alert || !t.alert.FiredAt.Equal(x.At) {
		return false
	}
	for name, value := range x.Labels {
		if t.alert.Labels[name] != value {
			return false
		}
	}
	return true
}

// others names the receivers that were told instead.
func others(all []telling, x Transition) string {
	var names []string
	for _, y := range all {
		if y.is(x) && !slices.Contains(names, y.receiver) {
			names = append(names, y.receiver)
		}
	}
	if len(names) == 0 {
		return "; nobody was"
	}
	return fmt.Sprintf("; told was %s", strings.Join(names, ", "))
}
