package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/puddle/v2"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/pool"
)

func pools() compare.Group {
	g := compare.Group{
		Name: "pool",
		About: `One operation is one Acquire and Release of a resource that exists, under a context that can be cancelled. In the first
row one goroutine does so alone; in the others 64 do, as fast as they can. database/sql lends connections of an empty
driver (` + "`Conn` and `Close`" + `), and serves those who wait in no order; the floor is a buffered channel and a select.`,
	}
	for _, row := range []struct {
		name                  string
		goroutines, resources int
		time, allocations     float64
	}{
		{"uncontended", 1, 4, 0.7, 0},
		{"64 goroutines on 2", 64, 2, 0.9, 1},
		{"64 goroutines on 4", 64, 4, 0.9, 1},
		{"64 goroutines on 16", 64, 16, 0.9, 1},
	} {
		lend := func(open func(t testing.TB, resources int) func() error) compare.Work {
			return compare.Timed(func(t testing.TB) func(n int) error {
				op := open(t, row.resources)
				return func(n int) error { return share(n, row.goroutines, op) }
			})
		}
		g.Comparisons = append(g.Comparisons, compare.Comparison{
			Name: row.name,
			Contestants: []compare.Contestant{
				compare.Ours(lend(lendOurs)),
				compare.Peer("puddle", lend(lendPuddle)),
				compare.Peer("database/sql", lend(lendSQL)),
				compare.Floor("channel", lend(lendChannel)),
			},
			Figures: []compare.Figure{
				compare.TimeOf(compare.Times(row.time, "puddle")),
				compare.AllocationsOf(compare.Bound(row.allocations)),
			},
		})
	}
	return g
}

// share divides n operations among goroutines. (RunParallel's loop costs as much
// as an uncontended acquire.)
func share(n, goroutines int, op func() error) error {
	repeat := func(n int) error {
		for range n {
			if err := op(); err != nil {
				return err
			}
		}
		return nil
	}
	if goroutines == 1 {
		return repeat(n)
	}
	errs := make([]error, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		mine := n / goroutines
		if g < n%goroutines {
			mine++
		}
		wg.Go(func() { errs[g] = repeat(mine) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

type conn [8]byte

func lendOurs(t testing.TB, resources int) func() error {
	p, err := pool.New(pool.Config[*conn]{
		New:     func(context.Context) (*conn, error) { return new(conn), nil },
		Destroy: func(*conn) {},
		Max:     resources,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ctx := cancellable(t)
	return func() error {
		l, err := p.Acquire(ctx)
		if err == nil {
			l.Release()
		}
		return err
	}
}

func lendPuddle(t testing.TB, resources int) func() error {
	p, err := puddle.NewPool(&puddle.Config[*conn]{
		Constructor: func(context.Context) (*conn, error) { return new(conn), nil },
		Destructor:  func(*conn) {},
		MaxSize:     int32(resources),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ctx := cancellable(t)
	return func() error {
		r, err := p.Acquire(ctx)
		if err == nil {
			r.Release()
		}
		return err
	}
}

func lendSQL(t testing.TB, resources int) func() error {
	db := sql.OpenDB(emptyDriver{})
	db.SetMaxOpenConns(resources)
	db.SetMaxIdleConns(resources)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := cancellable(t)
	return func() error {
		c, err := db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("database/sql: %w", err)
		}
		return c.Close()
	}
}

func lendChannel(t testing.TB, resources int) func() error {
	idle := make(chan *conn, resources)
	for range resources {
		idle <- new(conn)
	}
	ctx := cancellable(t)
	return func() error {
		select {
		case c := <-idle:
			idle <- c
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cancellable is a context that can end, but does so only after t.
func cancellable(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}
