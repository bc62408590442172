package pool_test

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/pool"
)

func ExamplePool() {
	type conn struct{ n int }
	made := 0
	p, err := pool.New(pool.Config[*conn]{
		New: func(context.Context) (*conn, error) { made++; return &conn{made}, nil },
		Max: 1,
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	lease, err := p.Acquire(ctx)
	if err != nil {
		panic(err)
	}
	_, err = p.TryAcquire()
	fmt.Println(lease.Value().n, err)
	lease.Release()

	err = p.Do(ctx, func(_ context.Context, c *conn) error {
		return fmt.Errorf("connection %d: %w", c.n, pool.ErrBroken)
	})
	fmt.Println(err)
	err = p.Do(ctx, func(_ context.Context, c *conn) error {
		fmt.Println("now connection", c.n)
		return nil
	})
	fmt.Println(err, p.Close(ctx))
	// Output:
	// 1 pool: none idle
	// connection 1: pool: broken resource
	// now connection 2
	// <nil> <nil>
}

func ExamplePool_Stats() {
	clk := clock.NewMock()
	p, err := pool.New(pool.Config[string]{
		Name:        "sessions",
		New:         func(context.Context) (string, error) { return "session", nil },
		MaxIdleTime: time.Minute,
		Clock:       clk,
	})
	if err != nil {
		panic(err)
	}
	_ = p.Do(context.Background(), func(context.Context, string) error { return nil })
	before := p.Stats()
	clk.Add(time.Minute)
	after := p.Stats()
	fmt.Println(before.Name, before.Idle, before.Acquired)
	fmt.Println(after.Name, after.Idle, after.DestroyedIdle)
	_ = p.Close(context.Background())
	// Output:
	// sessions 1 1
	// sessions 0 1
}
