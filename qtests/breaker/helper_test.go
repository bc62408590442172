package breaker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"
)

var (
	errDown = errors.New("down")
	ctx     = context.Background()
)

// hand is a clock that a test moves by hand. It can do nothing else: a breaker
// that armed a timer or slept would crash on the nil interface.
type hand struct {
	clock.Clock
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) Since(t time.Time) time.Duration { return h.Now().Sub(t) }

func (h *hand) Add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// byHand is a test with such a clock, a seed and an event log.
type byHand struct {
	tb.TB
	clk *hand
	log *event.Log
}

func (t byHand) Clock() clock.Clock   { return t.clk }
func (t byHand) EventLog() *event.Log { return t.log }

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func newByHand(t *testing.T) byHand {
	return byHand{t, &hand{now: epoch}, new(event.Log)}
}

// newBreaker returns a breaker and the clock it is on.
func newBreaker(t *testing.T, cfg breaker.Config) (*breaker.Breaker, *hand) {
	h := newByHand(t)
	return breaker.NewT(h, cfg), h.clk
}

func fails(context.Context) error    { return errDown }
func succeeds(context.Context) error { return nil }

// takes is a call of a given length.
func takes(clk *hand, d time.Duration, err error) func(context.Context) error {
	return func(context.Context) error {
		clk.Add(d)
		return err
	}
}

// times calls the breaker n times and returns the last error.
func times(n int, b *breaker.Breaker, f func(context.Context) error) (err error) {
	for range n {
		err = b.Do(ctx, f)
	}
	return err
}

// results calls the breaker once for each letter: s succeeds, f fails, i is
// cancelled by its caller.
func results(b *breaker.Breaker, letters string) {
	for _, l := range letters {
		switch l {
		case 's':
			_ = b.Do(ctx, succeeds)
		case 'f':
			_ = b.Do(ctx, fails)
		case 'i':
			gone, cancel := context.WithCancel(ctx)
			cancel()
			_ = b.Do(gone, func(ctx context.Context) error { return ctx.Err() })
		default:
			panic("results: " + string(l))
		}
	}
}

func allow(t *testing.T, b *breaker.Breaker) breaker.Permit {
	t.Helper()
	p, err := b.Allow()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func last(b *breaker.Breaker) breaker.Transition {
	ts := b.Transitions()
	return ts[len(ts)-1]
}

func causes(b *breaker.Breaker) (cs []breaker.Cause) {
	for _, t := range b.Transitions() {
		cs = append(cs, t.Cause)
	}
	return cs
}

// notReached is a call that must not be made.
func notReached(t *testing.T) func(context.Context) error {
	return func(context.Context) error {
		t.Error("the function was called")
		return nil
	}
}
