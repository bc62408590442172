package bench

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/puddle/v2"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/pool"
)

func pools() compare.Group {
	g := compare.Group{
		Name: "pool",
		About: `One operation is one Acquire and Release of a resource that exists, under a context that can be cancelled. In
the first row one goroutine does so alone; in the others 64 do, as fast as they can, and all of them have to
wait at first: what is compared is a queue, not the luck of never meeting one. database/sql lends connections of
an empty driver (` + "`Conn` and `Close`" + `), and serves those who wait in no order; the floor is a buffered channel and a select.`,
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
		borrow := func(open func(t testing.TB, resources int) borrowing) compare.Work {
			return compare.Timed(func(t testing.TB) func(n int) error {
				b := open(t, row.resources)
				if row.goroutines == 1 {
					return b.times
				}
				return func(n int) error { return b.contend(n, row.goroutines, row.resources) }
			})
		}
		g.Comparisons = append(g.Comparisons, compare.Comparison{
			Name: row.name,
			Contestants: []compare.Contestant{
				compare.Ours(borrow(fromOurs)),
				compare.Peer("puddle", borrow(fromPuddle)),
				compare.Peer("database/sql", borrow(fromSQL)),
				compare.Floor("channel", borrow(fromChannel)),
			},
			Figures: []compare.Figure{
				compare.TimeOf(compare.Times(row.time, "puddle")),
				compare.AllocationsOf(compare.Bound(row.allocations)),
			},
		})
	}
	return g
}

// A borrowing acquires a resource, calls hold if there is one, and releases it.
type borrowing func(hold func()) error

func (b borrowing) times(n int) error {
	for range n {
		if err := b(nil); err != nil {
			return err
		}
	}
	return nil
}

// contend divides n borrowings among goroutines, all of which have to wait when
// they come. Without that, some turns would be spent in a queue and others, in
// which by chance nobody was ever stopped while he had a resource, without one:
// times that differ by a factor of ten. (RunParallel's loop is not used because it
// costs as much as an uncontended acquire.)
func (b borrowing) contend(n, goroutines, resources int) error {
	errs := make([]error, goroutines+resources)
	var held, all sync.WaitGroup
	gate := make(chan struct{})
	for i := range resources {
		held.Add(1)
		all.Go(func() {
			errs[goroutines+i] = b(func() {
				held.Done()
				<-gate
			})
		})
	}
	held.Wait()
	for g := range goroutines {
		mine := n / goroutines
		if g < n%goroutines {
			mine++
		}
		all.Go(func() { errs[g] = b.times(mine) })
	}
	for range goroutines {
		runtime.Gosched() // by now they have come to the queue
	}
	close(gate)
	all.Wait()
	return errors.Join(errs...)
}

type conn [8]byte

func fromOurs(t testing.TB, resources int) borrowing {
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
	return func(hold func()) error {
		l, err := p.Acquire(ctx)
		if err != nil {
			return err
		}
		if hold != nil {
			hold()
		}
		l.Release()
		return nil
	}
}

func fromPuddle(t testing.TB, resources int) borrowing {
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
	return func(hold func()) error {
		r, err := p.Acquire(ctx)
		if err != nil {
			return err
		}
		if hold != nil {
			hold()
		}
		r.Release()
		return nil
	}
}

func fromSQL(t testing.TB, resources int) borrowing {
	db := sql.OpenDB(emptyDriver{})
	db.SetMaxOpenConns(resources)
	db.SetMaxIdleConns(resources)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := cancellable(t)
	return func(hold func()) error {
		c, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		if hold != nil {
			hold()
		}
		return c.Close()
	}
}

func fromChannel(t testing.TB, resources int) borrowing {
	idle := make(chan *conn, resources)
	for range resources {
		idle <- new(conn)
	}
	ctx := cancellable(t)
	return func(hold func()) error {
		select {
		case c := <-idle:
			if hold != nil {
				hold()
			}
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
