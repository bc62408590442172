package notify

import (
	"cmp"
	"context"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// An Outside runs functions outside every bubble, in real time, one at a time, so that a
// channel can use a real socket. Make it before qtests.Run, and close it after. The
// bubble's time stands still meanwhile. All methods are safe for concurrent use.
type Outside struct {
	timeout time.Duration
	work    chan outsideWork
	stop    chan struct{}
	stopped chan struct{}
}

type outsideWork struct {
	run  func(context.Context) error
	done chan error
}

// DefaultOutsideTimeout bounds, in real time, what an Outside runs.
const DefaultOutsideTimeout = 5 * time.Second

// NewOutside starts the goroutine. Zero is DefaultOutsideTimeout. It panics inside
// a bubble, where the goroutine would be part of it. Close it.
func NewOutside(timeout time.Duration) *Outside {
	if stacks.InBubble() {
		panic("notify: NewOutside called inside a bubble; call it before qtests.Run")
	}
	o := &Outside{cmp.Or(timeout, DefaultOutsideTimeout), make(chan outsideWork), make(chan struct{}), make(chan struct{})}
	go o.serve()
	return o
}

// serve is the goroutine outside.
func (o *Outside) serve() {
	defer close(o.stopped)
	for {
		select {
		case w := <-o.work:
			o.run(w)
		case <-o.stop:
			return
		}
	}
}

// run is on a goroutine of its own for each call, which may end by Goexit.
func (o *Outside) run(w outsideWork) {
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	ended := make(chan error, 1)
	go usercode.Run(func() error { return w.run(ctx) }, func(err error) { ended <- err })
	w.done <- usercode.Blame("notify: a function outside the bubble", <-ended)
}

// Do runs f outside and returns its error, or monitor.ErrClosed after Close. f must not use
// anything that was made inside a bubble: no channel, timer or context.
func (o *Outside) Do(f func(context.Context) error) error {
	// The channel is made outside, on a slot of the pool: one made in here would
	// belong to the bubble, and the goroutine outside could not send on it.
	w := outsideWork{run: f, done: <-outsideSlots}
	defer func() { outsideSlots <- w.done }()
	select {
	case o.work <- w:
		return <-w.done
	case <-o.stop:
		return monitor.ErrClosed
	}
}

// outsideSlots are channels that were made outside every bubble.
var outsideSlots = func() chan chan error {
	slots := make(chan chan error, 16)
	for range cap(slots) {
		slots <- make(chan error)
	}
	return slots
}()

// Close waits for the function that runs, and then stops the goroutine.
func (o *Outside) Close() {
	close(o.stop)
	<-o.stopped
}
