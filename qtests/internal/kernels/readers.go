//lint:file-ignore SA2001 a goroutine that locks and unlocks waits for its turn

package kernels

import (
	"sync"

	"github.com/go-qtests/qtests/qtests"
)

var readers = []Kernel{
	{Name: "writer_between_two_readers", Bug: func(q *qtests.T) { // a read lock taken again behind a waiting writer
		var rw sync.RWMutex
		var wg sync.WaitGroup
		wg.Go(func() {
			rw.RLock()
			rw.RLock()
			rw.RUnlock()
			rw.RUnlock()
		})
		wg.Go(func() {
			rw.Lock()
			rw.Unlock()
		})
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var rw sync.RWMutex
		var wg sync.WaitGroup
		wg.Go(func() {
			rw.RLock()
			rw.RUnlock()
			rw.RLock()
			rw.RUnlock()
		})
		wg.Go(func() {
			rw.Lock()
			rw.Unlock()
		})
		wg.Wait()
	}},
	{Name: "upgrade_of_a_read_lock", Bug: func(q *qtests.T) { // what was read is old when the write lock comes
		c := &cell{}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				c.mu.RLock()
				v := c.v
				c.mu.RUnlock()
				c.mu.Lock()
				c.v = v + 1
				c.mu.Unlock()
			})
		}
		wg.Wait()
		want(q, "the value", c.v, 2)
	}, Fixed: func(q *qtests.T) {
		c := &cell{}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				c.mu.Lock()
				c.v++
				c.mu.Unlock()
			})
		}
		wg.Wait()
		want(q, "the value", c.v, 2)
	}},
	{Name: "write_under_read_lock", Bug: func(q *qtests.T) { // a read lock lets two writers in
		c := &cell{}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				c.mu.RLock()
				defer c.mu.RUnlock()
				c.v++
			})
		}
		wg.Wait()
		want(q, "the value", c.v, 2)
	}, Fixed: func(q *qtests.T) {
		c := &cell{}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.v++
			})
		}
		wg.Wait()
		want(q, "the value", c.v, 2)
	}},
}

type cell struct {
	mu sync.RWMutex
	v  int
}
