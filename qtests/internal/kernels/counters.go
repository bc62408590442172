package kernels

import (
	"sync"
	"sync/atomic"

	"github.com/go-qtests/qtests/qtests"
)

var counters = []Kernel{
	{Name: "lost_update", Bug: func(q *qtests.T) { // x++ by two goroutines
		var n int
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { n++ })
		}
		wg.Wait()
		want(q, "the count", n, 2)
	}, Fixed: func(q *qtests.T) {
		var mu sync.Mutex
		var n int
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { mu.Lock(); defer mu.Unlock(); n++ })
		}
		wg.Wait()
		want(q, "the count", n, 2)
	}},
	{Name: "atomic_load_then_store", Bug: func(q *qtests.T) { // each step is atomic, both together are not
		var n atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { n.Store(n.Load() + 1) })
		}
		wg.Wait()
		want(q, "the count", n.Load(), 2)
	}, Fixed: func(q *qtests.T) {
		var n atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { n.Add(1) })
		}
		wg.Wait()
		want(q, "the count", n.Load(), 2)
	}},
	{Name: "check_then_act_balance", Bug: func(q *qtests.T) { // two locked steps with a gap
		a := &account{balance: 100}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if a.get() >= 100 {
					a.add(-100)
				}
			})
		}
		wg.Wait()
		want(q, "the balance", a.get(), 0)
	}, Fixed: func(q *qtests.T) {
		a := &account{balance: 100}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { a.take(100) })
		}
		wg.Wait()
		want(q, "the balance", a.get(), 0)
	}},
	{Name: "check_then_act_flag", Bug: func(q *qtests.T) { // an atomic flag that is looked at and then set
		var started atomic.Bool
		var starts atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if !started.Load() {
					started.Store(true)
					starts.Add(1)
				}
			})
		}
		wg.Wait()
		want(q, "the number of starts", starts.Load(), 1)
	}, Fixed: func(q *qtests.T) {
		var started atomic.Bool
		var starts atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if started.CompareAndSwap(false, true) {
					starts.Add(1)
				}
			})
		}
		wg.Wait()
		want(q, "the number of starts", starts.Load(), 1)
	}},
	{Name: "lost_append", Bug: func(q *qtests.T) { // two appends to one slice
		var all []int
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { all = append(all, i) })
		}
		wg.Wait()
		want(q, "the number of elements", len(all), 3)
	}, Fixed: func(q *qtests.T) {
		all := make([]int, 3)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { all[i] = i })
		}
		wg.Wait()
		want(q, "the number of elements", len(all), 3)
	}},
	{Name: "anonymous_capture", Bug: func(q *qtests.T) { // a variable that the loop goes on to change
		seen := make([]atomic.Int32, 3)
		var wg sync.WaitGroup
		var i int
		for i = 0; i < 3; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if k := i; k < len(seen) {
					seen[k].Add(1)
				}
			}()
		}
		wg.Wait()
		for k := range seen {
			want(q, name(k), seen[k].Load(), 1)
		}
	}, Fixed: func(q *qtests.T) {
		seen := make([]atomic.Int32, 3)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { seen[i].Add(1) })
		}
		wg.Wait()
		for k := range seen {
			want(q, name(k), seen[k].Load(), 1)
		}
	}},
	{Name: "torn_pair", Bug: func(q *qtests.T) { // two fields that belong together, written one after the other
		type pair struct{ a, b atomic.Int64 }
		var p pair
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.a.Store(1)
			p.b.Store(1)
		}()
		a, b := p.a.Load(), p.b.Load()
		<-done
		want(q, "b, read behind a,", b, a)
	}, Fixed: func(q *qtests.T) {
		type pair struct{ a, b int64 }
		var p atomic.Pointer[pair]
		p.Store(&pair{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.Store(&pair{1, 1})
		}()
		now := p.Load()
		<-done
		want(q, "b", now.b, now.a)
	}},
}

type account struct {
	mu      sync.Mutex
	balance int
}

func (a *account) get() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance
}

func (a *account) add(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += n
}

func (a *account) take(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.balance < n {
		return false
	}
	a.balance -= n
	return true
}
