package kernels

import (
	"sync"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests"
)

var onces = []Kernel{
	{Name: "once_with_a_panic", Bug: func(q *qtests.T) { // a Do that panics counts as done
		var once sync.Once
		var value atomic.Pointer[int]
		var config atomic.Bool
		load := func() {
			defer func() { _ = recover() }()
			once.Do(func() {
				if !config.Load() {
					panic("no configuration")
				}
				value.Store(new(int))
			})
		}
		var wg sync.WaitGroup
		wg.Go(func() { config.Store(true) })
		wg.Go(load)
		wg.Wait()
		load()
		want(q, "loaded", value.Load() != nil, true)
	}, Fixed: func(q *qtests.T) {
		var mu sync.Mutex
		var value *int
		var config atomic.Bool
		load := func() {
			mu.Lock()
			defer mu.Unlock()
			if value == nil && config.Load() {
				value = new(int)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { config.Store(true) })
		wg.Go(load)
		wg.Wait()
		load()
		want(q, "loaded", value != nil, true)
	}},
	{Name: "double_checked", Bug: func(q *qtests.T) { // made twice, for the second check is missing
		var mu sync.Mutex
		var made atomic.Int32
		var it atomic.Pointer[conn]
		get := func() *conn {
			if c := it.Load(); c != nil {
				return c
			}
			mu.Lock()
			defer mu.Unlock()
			made.Add(1)
			it.Store(&conn{})
			return it.Load()
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { get() })
		}
		wg.Wait()
		want(q, "the number made", made.Load(), 1)
	}, Fixed: func(q *qtests.T) {
		var made atomic.Int32
		get := sync.OnceValue(func() *conn { made.Add(1); return &conn{} })
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { get() })
		}
		wg.Wait()
		want(q, "the number made", made.Load(), 1)
	}},
	{Name: "ready_before_the_value", Bug: func(q *qtests.T) { // the flag is set before what it stands for
		var ready atomic.Bool
		var value atomic.Int32
		var wg sync.WaitGroup
		wg.Go(func() { ready.Store(true); value.Store(1) })
		wg.Go(func() {
			if ready.Load() {
				want(q, "the value", value.Load(), 1)
			}
		})
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var ready atomic.Bool
		var value atomic.Int32
		var wg sync.WaitGroup
		wg.Go(func() { value.Store(1); ready.Store(true) })
		wg.Go(func() {
			if ready.Load() {
				want(q, "the value", value.Load(), 1)
			}
		})
		wg.Wait()
	}},
	{Name: "pool_used_after_put", Bug: func(q *qtests.T) { // a buffer that is given back and still read
		pool := sync.Pool{New: func() any { return new(atomic.Int32) }}
		use := func(v int32) {
			b := pool.Get().(*atomic.Int32)
			b.Store(v)
			pool.Put(b)
			want(q, "the buffer", b.Load(), v)
		}
		var wg sync.WaitGroup
		wg.Go(func() { use(1) })
		wg.Go(func() { use(2) })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		pool := sync.Pool{New: func() any { return new(atomic.Int32) }}
		use := func(v int32) {
			b := pool.Get().(*atomic.Int32)
			b.Store(v)
			want(q, "the buffer", b.Load(), v)
			pool.Put(b)
		}
		var wg sync.WaitGroup
		wg.Go(func() { use(1) })
		wg.Go(func() { use(2) })
		wg.Wait()
	}},
}
