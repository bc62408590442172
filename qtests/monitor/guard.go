package monitor

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/usercode"
)

// A guard calls code of the user that may block, panic or exit, on a goroutine of
// its own, and never twice at a time.
type guard struct {
	name string
	busy chan struct{} // holds a token while a call has not returned
}

func newGuard(name string) guard { return guard{name, make(chan struct{}, 1)} }

// do returns what f returned, or an error when f panics, exits, or has not
// returned after timeout or when ctx ends. Its context ends then.
func (g guard) do(ctx context.Context, clk clock.Clock, timeout time.Duration, f func(context.Context) error) error {
	select {
	case g.busy <- struct{}{}:
	default:
		return fmt.Errorf("%w: %s has not returned from an earlier call", ErrBlocked, g.name)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go usercode.Run(func() error { return f(ctx) }, func(err error) {
		<-g.busy
		done <- usercode.Blame("monitor: "+g.name, err)
	})
	timer := clk.Timer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: %s has not returned within %v", ErrBlocked, g.name, timeout)
	case <-ctx.Done():
		return ErrClosed
	}
}
