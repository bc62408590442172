// The program prints what it computes, and at which lines: with points it prints the same.
package main

import (
	"fmt"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

type flag bool

type inner struct{ n, m int }

type thing struct {
	mu    sync.Mutex
	rw    *sync.RWMutex
	count int
	small uint8
	wide  float64
	ok    flag
	any   any
	err   error
	next  *thing
	in    inner
	arr   [3]int
	list  []int
	m     map[string]int
	f     func(int) int
	c     chan int
	n     atomic.Int64
	fixed string
}

type locked struct {
	sync.Mutex
	v int
}

type number interface{ ~int | ~int64 }

type box[T number] struct{ v T }

func (b *box[T]) add(v T) T { b.v += v; return b.v }

var global, Exported = 1, 2

func line() int { _, _, l, _ := runtime.Caller(1); return l }

func (t *thing) incr() (before int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before = t.count
	t.count++
	return
}

func two() (int, error) { return 7, nil }

func index(calls *int) int { *calls++; return 1 }

func main() {
	t := &thing{rw: &sync.RWMutex{}, m: map[string]int{"a": 1}, c: make(chan int, 4), list: make([]int, 3), fixed: "f"}
	t.next = &thing{arr: [3]int{1, 2, 3}}
	t.f = func(v int) int { return v + t.count }
	t.incr()
	t.count, t.small = t.count+1, 7
	t.small <<= 2
	t.small = 1 << t.small
	t.wide = 3
	t.wide *= 2.5
	t.ok = t.count == 2
	t.ok = t.count > 1 && t.ok
	t.any = t.count
	t.any, t.err = two()
	t.err = fmt.Errorf("e%d", t.count)
	t.next.in.n, t.next.in.m = 4, t.next.in.n
	t.next.in = inner{t.next.in.n + 1, 2}
	t.next.arr[1] += t.next.arr[2]
	t.list[0], t.list[1] = t.list[1]+5, t.list[0]
	calls := 0
	t.list[index(&calls)]++
	t.list[index(&calls)] += 10
	t.m["b"] = len(t.m) + t.m["a"]
	t.m["b"]++
	t.m["c"] += t.m["b"]
	delete(t.m, "a")
	if v, ok := t.m["b"]; ok && t.next != nil && t.next.count == 0 {
		fmt.Println("b", v, line())
	}
	var nothing *thing
	if nothing != nil && nothing.count > 0 {
		panic("evaluated too early")
	}
	t.c <- t.count
	t.c <- t.f(1)
	select {
	case v, ok := <-t.c:
		fmt.Println("received", v, ok, len(t.c), cap(t.c), line())
	default:
	}
	select {
	case t.any = <-t.c:
	case t.next.c <- t.f(2): // nil: never
	}
	close(t.c)
	for v := range t.c {
		fmt.Println("rest", v)
	}
	var keys []string
	for k := range t.m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i := range t.next.arr {
		t.next.arr[i] *= 2
	}
	p := &t.next.arr[0]
	*p = *p + 1
	*p++
	t.n.Store(t.n.Load() + 2)
	fmt.Println(t.n.CompareAndSwap(2, int64(t.count)), t.n.Add(1))
	var raw int32
	atomic.AddInt32(&raw, int32(t.count))
	l := locked{}
	l.Lock()
	l.v++
	l.Unlock()
	func() {
		t.rw.RLock()
		defer t.rw.RUnlock()
		global += Exported
		Exported, global = global, Exported
	}()
	b := box[int64]{}
	b.add(2)
	both := [2]*thing{t, t.next}
	both[0].count, both[1].count = both[1].count, both[0].count
	var text strings.Builder
	text.WriteString(t.fixed)
	x := 1
	func() { x++; x = x<<1 | 1 }()
	var fn func(int) int = identity
	fn = identity
	switch y := t.any.(type) {
	case int:
		x += y
	}
	switch {
	case t.count > 0:
		x++
	}
	for i := 0; i < t.next.in.n; i++ {
		x += i
	}
outer:
	for {
		select {
		case <-t.c:
			break outer
		}
	}
	const fixed = len([3]int{})
	defer func() { fmt.Println("recovered", recover(), x, line()) }()
	fmt.Println(t.count, t.small, t.wide, t.ok, t.err, t.next.in, t.next.arr, t.list, keys, t.m, calls, raw, l.v, global, Exported, b.v,
		text.String(), x, fn(3), fixed, both[0] == t, line())
	var none map[string]int
	none["x"] = t.count
}

func identity[T any](v T) T { return v }
