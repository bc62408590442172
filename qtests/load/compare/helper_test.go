package compare

import (
	"context"
	"time"

	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/tb"
)

// serve is a step that takes d.
func serve(d time.Duration) func(context.Context, *load.User) error {
	return func(ctx context.Context, u *load.User) error { return u.Sleep(ctx, d) }
}

// exponential is a step whose time is drawn from the user's stream, in whole microseconds.
func exponential(mean time.Duration) func(context.Context, *load.User) error {
	l := latency.Exponential(mean)
	return func(ctx context.Context, u *load.User) error { return u.Sleep(ctx, tb.Round(l.Sample(u.Rand()))) }
}
