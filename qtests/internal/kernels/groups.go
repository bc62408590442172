package kernels

import (
	"sync"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests"
)

var groups = []Kernel{
	{Name: "add_inside_the_goroutine", Bug: func(q *qtests.T) { // Wait may come before Add
		var wg sync.WaitGroup
		var done atomic.Bool
		begin := func() { wg.Add(1) }
		go func() {
			begin()
			defer wg.Done()
			done.Store(true)
		}()
		wg.Wait()
		want(q, "done", done.Load(), true)
	}, Fixed: func(q *qtests.T) {
		var wg sync.WaitGroup
		var done atomic.Bool
		wg.Add(1)
		go func() {
			defer wg.Done()
			done.Store(true)
		}()
		wg.Wait()
		want(q, "done", done.Load(), true)
	}},
	{Name: "done_on_one_path", Bug: func(q *qtests.T) { // who finds the job taken forgets Done
		var wg sync.WaitGroup
		var taken atomic.Bool
		for range 2 {
			wg.Add(1)
			go func() {
				if taken.Load() {
					wg.Done()
					return
				}
				if !taken.CompareAndSwap(false, true) {
					return
				}
				wg.Done()
			}()
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var wg sync.WaitGroup
		var taken atomic.Bool
		for range 2 {
			wg.Go(func() { taken.CompareAndSwap(false, true) })
		}
		wg.Wait()
	}},
	{Name: "done_before_the_work", Bug: func(q *qtests.T) { // Done is called, and then the result is written
		var wg sync.WaitGroup
		var result atomic.Int32
		wg.Add(1)
		go func() {
			wg.Done()
			result.Store(7)
		}()
		wg.Wait()
		want(q, "the result", result.Load(), 7)
	}, Fixed: func(q *qtests.T) {
		var wg sync.WaitGroup
		var result atomic.Int32
		wg.Add(1)
		go func() {
			defer wg.Done()
			result.Store(7)
		}()
		wg.Wait()
		want(q, "the result", result.Load(), 7)
	}},
	{Name: "negative_counter", Bug: func(q *qtests.T) { // the one that sees the last job calls Done for all
		var wg sync.WaitGroup
		var left atomic.Int32
		left.Store(2)
		wg.Add(1)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				left.Add(-1)
				if left.Load() == 0 {
					wg.Done()
				}
			})
		}
		wg.Wait()
		all.Wait()
	}, Fixed: func(q *qtests.T) {
		var wg sync.WaitGroup
		var left atomic.Int32
		left.Store(2)
		wg.Add(1)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if left.Add(-1) == 0 {
					wg.Done()
				}
			})
		}
		wg.Wait()
		all.Wait()
	}},
}
