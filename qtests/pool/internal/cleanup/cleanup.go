// Package cleanup closes a pool when its test ends.
package cleanup

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"
)

// Timeout is how long Close waits for what is still out.
const Timeout = 5 * time.Second

// Close calls close with a context that ends after Timeout. The time is that of
// clk, except for a clock.Mock, which stands still when the test ends: then it is
// the real time.
func Close(clk clock.Clock, close func(context.Context) error) error {
	if _, stands := clk.(*clock.Mock); stands {
		clk = clock.New()
	}
	ctx, cancel := clk.WithTimeout(context.Background(), Timeout)
	defer cancel()
	return close(ctx)
}

// AtOnce calls close with a context that has ended, so that it waits for nothing.
// What is still out is the business of a later Close.
func AtOnce(close func(context.Context) error) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = close(ended)
}
