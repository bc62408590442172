package compare

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/tb"
)

// stress is QTESTS_STRESS, how many times as much to do.
func stress() int {
	if n, err := strconv.Atoi(os.Getenv("QTESTS_STRESS")); err == nil && n > 0 {
		return n
	}
	return 1
}

// serve is a step that takes d.
func serve(d time.Duration) func(context.Context, *load.User) error {
	return func(ctx context.Context, u *load.User) error { return u.Sleep(ctx, d) }
}

// exponential is a step whose time is drawn from the user's stream, in whole microseconds.
func exponential(mean time.Duration) func(context.Context, *load.User) error {
	l := latency.Exponential(mean)
	return func(ctx context.Context, u *load.User) error { return u.Sleep(ctx, tb.Round(l.Sample(u.Rand()))) }
}
