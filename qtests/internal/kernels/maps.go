package kernels

import (
	"sync"

	"github.com/go-qtests/qtests/qtests"
)

var maps = []Kernel{
	{Name: "concurrent_map_writes", Bug: func(q *qtests.T) {
		m := map[int]int{}
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { m[i] = i })
		}
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		var mu sync.Mutex
		m := map[int]int{}
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() { mu.Lock(); defer mu.Unlock(); m[i] = i })
		}
		wg.Wait()
	}},
	{Name: "map_read_beside_write", Bug: func(q *qtests.T) { // the reader has no lock
		c := &cache{m: map[string]int{}}
		var wg sync.WaitGroup
		wg.Go(func() { c.set("a", 1) })
		wg.Go(func() { c.peek("a") })
		wg.Wait()
	}, Fixed: func(q *qtests.T) {
		c := &cache{m: map[string]int{}}
		var wg sync.WaitGroup
		wg.Go(func() { c.set("a", 1) })
		wg.Go(func() { c.get("a") })
		wg.Wait()
	}},
	{Name: "check_then_act_map", Bug: func(q *qtests.T) { // made twice under two locks
		c := &cache{m: map[string]int{}}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, ok := c.get("a"); !ok {
					c.made("a")
				}
			})
		}
		wg.Wait()
		want(q, "the number made", c.count("a"), 1)
	}, Fixed: func(q *qtests.T) {
		c := &cache{m: map[string]int{}}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				if _, ok := c.m["a"]; !ok {
					c.m["a"]++
				}
			})
		}
		wg.Wait()
		want(q, "the number made", c.count("a"), 1)
	}},
	{Name: "sync_map_load_then_store", Bug: func(q *qtests.T) {
		var m sync.Map
		var mu sync.Mutex
		made := 0
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, ok := m.Load("a"); !ok {
					mu.Lock()
					made++
					mu.Unlock()
					m.Store("a", true)
				}
			})
		}
		wg.Wait()
		want(q, "the number made", made, 1)
	}, Fixed: func(q *qtests.T) {
		var m sync.Map
		var mu sync.Mutex
		made := 0
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, loaded := m.LoadOrStore("a", true); !loaded {
					mu.Lock()
					made++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		want(q, "the number made", made, 1)
	}},
}

type cache struct {
	mu sync.Mutex
	m  map[string]int
}

func (c *cache) get(key string) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.m[key]
	return v, ok
}

func (c *cache) peek(key string) int { return c.m[key] }

func (c *cache) set(key string, v int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key] = v
}

func (c *cache) made(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key]++
}

func (c *cache) count(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m[key]
}
