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
the first row one goroutine does so alone; in the others 64 do, as fast as they can, each under a context of its own,
as requests have. All 64 have to wait at first: what is compared is a queue, not the luck of never
meeting one. database/sql lends connections of an empty driver (` + "`Conn` and `Close`" + `), and serves those who wait in no
order; the floor is a buffered channel and a select.`,
	}
	for _, row := range []struct {
		name              string
		by                borrowers
		time, allocations float64
		why               string
	}{
		{"uncontended", borrowers{goroutines: 1, resources: 4}, 0.7, 0, whyAlone},
		{"64 goroutines on 2", borrowers{goroutines: 64, resources: 2}, 0.8, 1, whyQueue},
		{"64 goroutines on 4", borrowers{goroutines: 64, resources: 4}, 0.8, 1, whyQueue},
		{"64 goroutines on 16", borrowers{goroutines: 64, resources: 16}, 0.8, 1, whyQueue},
	} {
		borrow := func(open func(t testing.TB, resources int) borrowing) compare.Work {
			return compare.Timed(func(t testing.TB) func(n int) error {
				b := open(t, row.by.resources)
				return func(n int) error { return row.by.borrow(b, n) }
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
			Why: row.why,
		})
	}
	return g
}

const whyAlone = "Ours takes its lock once to lend a resource and once to take it back, and keeps its statistics under it."

const whyQueue = "Who releases a resource wakes the first who waits for it. For nearly every operation all pools have to park a goroutine " +
	"and make another one ready, to select between the answer and the end of a context, and to take a lock that all 64 want. The floor " +
	"has to do that, too, and it is the larger part of what every pool takes; a pool can be ahead by no more than the rest. Whether the " +
	"scheduler leaves the 64 on one processor or spreads them over all decides much: spread, each takes lock and queue out of the " +
	"other's cache. For that reason ours keeps what it writes for each operation in few lines of memory, and uses the channel by which " +
	"a goroutine waits again: together they save a sixth of its time."

// A borrowing acquires a resource, calls hold if there is one, and releases it.
type borrowing func(ctx context.Context, hold func()) error

func (b borrowing) times(ctx context.Context, n int) error {
	for range n {
		if err := b(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// Borrowers are so many goroutines that share so many resources.
type borrowers struct {
	goroutines, resources int
}

// borrow divides n borrowings among the goroutines. All have to wait when
// they come, if there are several. Without that, some turns would be spent in a queue
// and others, in which by chance nobody was ever stopped while he had a resource,
// without one: times that differ by a factor of ten. (RunParallel's loop is not used
// because it costs as much as an uncontended acquire.)
func (by borrowers) borrow(b borrowing, n int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if by.goroutines == 1 {
		return b.times(ctx, n)
	}
	giveBack := by.takeAll(b)
	errs := make([]error, by.goroutines)
	var all sync.WaitGroup
	for g := range errs {
		mine := n / by.goroutines
		if g < n%by.goroutines {
			mine++
		}
		own, end := context.WithCancel(context.Background())
		defer end()
		all.Go(func() { errs[g] = b.times(own, mine) })
	}
	for range by.goroutines {
		runtime.Gosched() // by now they have come to the queue
	}
	err := giveBack()
	all.Wait()
	return errors.Join(append(errs, err)...)
}

// takeAll borrows every resource, until giveBack is called.
func (by borrowers) takeAll(b borrowing) (giveBack func() error) {
	errs := make([]error, by.resources)
	var taken, all sync.WaitGroup
	gate := make(chan struct{})
	for i := range errs {
		taken.Add(1)
		all.Go(func() {
			var held bool
			errs[i] = b(context.Background(), func() {
				held = true
				taken.Done()
				<-gate
			})
			if !held {
				taken.Done() // it failed
			}
		})
	}
	taken.Wait()
	return func() error {
		close(gate)
		all.Wait()
		return errors.Join(errs...)
	}
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
	return func(ctx context.Context, hold func()) error {
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
	return func(ctx context.Context, hold func()) error {
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
	return func(ctx context.Context, hold func()) error {
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
	return func(ctx context.Context, hold func()) error {
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
