// Package cleanup closes a pool when its test ends.
package cleanup

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"
)

// Timeout is how long Close waits for what is still out.
const Timeout = 5 * time.Second

// Close calls close with a context that ends after Timeout on clk. A clock.Mock stands
// still when the test ends: with one, the time is real.
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
