package bench

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/puddle/v2"

	"github.com/go-qtests/qtests/qtests/pool"
)

type conn [8]byte

// BenchmarkPoolUncontended is one Acquire and Release with a resource idle.
func BenchmarkPoolUncontended(b *testing.B) {
	ctx := context.Background()
	b.Run("puddle", func(b *testing.B) {
		p := newPuddle(b, 4)
		b.ReportAllocs()
		for b.Loop() {
			r, _ := p.Acquire(ctx)
			r.Release()
		}
	})
	b.Run("qtests", func(b *testing.B) {
		p := newPool(b, 4)
		b.ReportAllocs()
		for b.Loop() {
			l, _ := p.Acquire(ctx)
			l.Release()
		}
	})
}

// BenchmarkPoolContended is 64 goroutines that acquire and release as fast as
// they can; one operation is one Acquire and Release.
func BenchmarkPoolContended(b *testing.B) {
	ctx := context.Background()
	for _, resources := range []int{2, 4, 16} {
		b.Run(fmt.Sprintf("resources=%d/puddle", resources), func(b *testing.B) {
			p := newPuddle(b, int32(resources))
			contend(b, func() {
				r, _ := p.Acquire(ctx)
				r.Release()
			})
		})
		b.Run(fmt.Sprintf("resources=%d/qtests", resources), func(b *testing.B) {
			p := newPool(b, resources)
			contend(b, func() {
				l, _ := p.Acquire(ctx)
				l.Release()
			})
		})
	}
}

// contend divides b.N operations among 64 goroutines. (RunParallel's loop
// costs as much as an uncontended acquire.)
func contend(b *testing.B, op func()) {
	b.ReportAllocs()
	const goroutines = 64
	var wg sync.WaitGroup
	for g := range goroutines {
		n := b.N / goroutines
		if g < b.N%goroutines {
			n++
		}
		wg.Go(func() {
			for range n {
				op()
			}
		})
	}
	wg.Wait()
}

func newPuddle(b *testing.B, resources int32) *puddle.Pool[*conn] {
	p, err := puddle.NewPool(&puddle.Config[*conn]{
		Constructor: func(context.Context) (*conn, error) { return new(conn), nil },
		Destructor:  func(*conn) {},
		MaxSize:     resources,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Close)
	return p
}

func newPool(b *testing.B, resources int) *pool.Pool[*conn] {
	p, err := pool.New(pool.Config[*conn]{
		New:     func(context.Context) (*conn, error) { return new(conn), nil },
		Destroy: func(*conn) {},
		Max:     resources,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close(context.Background()) })
	return p
}
