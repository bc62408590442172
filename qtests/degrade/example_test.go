package degrade_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/degrade"
)

// A price is fresh for a minute, and good enough for an hour while the shop cannot ask for it.
func Example() {
	clk := clock.NewMock()
	prices, err := degrade.NewCache[string, int](degrade.CacheConfig{Name: "prices", Clock: clk, Fresh: time.Minute, Stale: time.Hour})
	if err != nil {
		panic(err)
	}
	var down error
	ask := func(context.Context) (int, error) { return 42, down }
	for _, later := range []time.Duration{0, 30 * time.Minute, 40 * time.Minute} {
		clk.Add(later)
		price, grade, err := prices.Get(context.Background(), "tea", ask)
		fmt.Println(price, grade, err)
		down = errors.New("connection refused")
	}
	// Output:
	// 42 full <nil>
	// 42 degraded <nil>
	// 42 failed connection refused
}
