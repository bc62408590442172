package ordered_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"io"
	"iter"
	"maps"
	mathrand "math/rand"
	randv2 "math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

type logger struct {
	mu sync.Mutex
	h  interface {
		Write([]byte) (int, error)
		Sum64() uint64
	}
	start time.Time
	n     int
	out   io.Writer
}

func (l *logger) log(f string, a ...any) {
	l.mu.Lock()
	l.n++
	fmt.Fprintf(l.h, "%d ", time.Since(l.start))
	fmt.Fprintf(l.h, f, a...)
	if l.out != nil {
		fmt.Fprintf(l.out, "%d ", time.Since(l.start))
		fmt.Fprintf(l.out, f+"\n", a...)
	}
	l.mu.Unlock()
}

type sem struct {
	mu   sync.Mutex
	free int
	q    []chan struct{}
}

func (s *sem) acquire() {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return
	}
	c := make(chan struct{})
	s.q = append(s.q, c)
	s.mu.Unlock()
	<-c
}

func (s *sem) release() {
	s.mu.Lock()
	if len(s.q) > 0 {
		c := s.q[0]
		s.q = s.q[1:]
		s.mu.Unlock()
		close(c)
		return
	}
	s.free++
	s.mu.Unlock()
}

func numbers(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

var (
	once    sync.Once
	onceVal int
	pkgMap  = map[string]int{}
	pool    = sync.Pool{New: func() any { return new([64]byte) }}
	chPool  = sync.Pool{New: func() any { return make(chan int, 1) }}
	onceCh  = sync.OnceValue(func() chan struct{} { return make(chan struct{}, 1) })
	syncMap sync.Map
)

func init() {
	for i := range 100 {
		pkgMap[fmt.Sprint("p", i)] = i
		syncMap.Store(i, fmt.Sprint(i))
	}
}

// chaos does everything that is unordered in Go.
func chaos(l *logger) {
	var wg sync.WaitGroup
	once.Do(func() { // shifts nothing that comes later
		onceVal = mathrand.Int()
		done := make(chan bool)
		for range 5 {
			go func() { done <- mathrand.Intn(2) == 0 }()
			<-done
		}
	})
	time.Sleep(1)
	s := &sem{free: 5}
	for i := range 200 {
		time.Sleep(10 * time.Millisecond)
		wg.Go(func() {
			s.acquire()
			time.Sleep(time.Duration(1+randv2.IntN(10)) * 10 * time.Millisecond)
			s.release()
			l.log("sem %d;", i)
		})
	}
	m := map[string]int{}
	for i := range 50 {
		m[fmt.Sprint("k", i)] = i
	}
	for k := range m {
		l.log("map %s;", k)
	}
	for k := range pkgMap {
		l.log("pkg %s;", k)
	}
	syncMap.Range(func(k, v any) bool { l.log("sync %v;", k); return true })
	a, b, c := make(chan int, 100), make(chan int, 100), make(chan int, 100)
	for i := range 100 {
		a <- i
		b <- i
		c <- i
	}
	for range 300 {
		select {
		case x := <-a:
			l.log("a%d;", x)
		case x := <-b:
			l.log("b%d;", x)
		case x := <-c:
			l.log("c%d;", x)
		}
	}
	gate := make(chan struct{})
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	ready := false
	for i := range 50 {
		wg.Go(func() { <-gate; l.log("gate %d;", i) })
		wg.Go(func() {
			mu.Lock()
			for !ready {
				cond.Wait()
			}
			mu.Unlock()
			l.log("cond %d;", i)
		})
	}
	time.Sleep(time.Second)
	close(gate)
	mu.Lock()
	ready = true
	cond.Broadcast()
	mu.Unlock()
	jobs := make(chan int)
	for w := range 8 {
		wg.Go(func() {
			for j := range jobs {
				l.log("w%d j%d;", w, j)
				if mathrand.Intn(3) == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for j := range 300 {
		jobs <- j
	}
	close(jobs)
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		wg.Go(func() { defer cancel(); <-ctx.Done(); l.log("ctx %d;", i) })
		time.AfterFunc(time.Second, func() { l.log("af %d;", i) })
		t := time.NewTicker(100 * time.Millisecond)
		wg.Go(func() {
			defer t.Stop()
			for range 10 {
				<-t.C
				l.log("tick %d;", i)
			}
		})
	}
	var sink [][]byte
	for i := range 50 {
		wg.Go(func() {
			for range 20 {
				mu.Lock()
				sink = append(sink, make([]byte, 10<<10))
				if len(sink) > 100 {
					sink = nil
				}
				mu.Unlock()
				l.log("mx %d;", i)
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
	if os.Getenv("NOMORE") != "" {
		return
	}
	more(l, &wg)
	wg.Wait()
}

// more does what the first part leaves out.
func more(l *logger, wg *sync.WaitGroup) {
	// A mutex and a RWMutex held over a sleep.
	var mu sync.Mutex
	var rw sync.RWMutex
	for i := range 6 {
		wg.Go(func() {
			mu.Lock()
			time.Sleep(time.Minute)
			mu.Unlock()
			l.log("held %d;", i)
		})
		wg.Go(func() {
			if i%3 == 0 {
				rw.Lock()
				time.Sleep(time.Second)
				rw.Unlock()
			} else {
				rw.RLock()
				time.Sleep(time.Second)
				rw.RUnlock()
			}
			l.log("rw %d;", i)
		})
	}
	wg.Wait()
	// Coroutines, pulled from several goroutines.
	for i := range 4 {
		wg.Go(func() {
			next, stop := iter.Pull(numbers(10))
			defer stop()
			for range 8 {
				v, _ := next()
				runtime.Gosched()
				l.log("pull %d %d;", i, v)
			}
		})
	}
	// Pools, ends by panic and Goexit, locked threads, the collector, system calls.
	for i := range 8 {
		wg.Go(func() {
			defer func() { recover(); l.log("end %d;", i) }()
			x := pool.Get().(*[64]byte)
			c := chPool.Get().(chan int)
			c <- i
			time.Sleep(time.Duration(randv2.IntN(3)) * time.Millisecond)
			l.log("pool %d %d %d;", i, x[0], <-c)
			x[0] = byte(i)
			pool.Put(x)
			chPool.Put(c)
			switch i % 4 {
			case 0:
				panic(i)
			case 1:
				runtime.Goexit()
			case 2:
				runtime.LockOSThread()
				runtime.Goexit()
			default:
				runtime.GC()
				var ms runtime.MemStats
				runtime.ReadMemStats(&ms)
				_, _ = os.Stat("/")
				_ = make([]byte, 1<<20)
			}
		})
	}
	wg.Wait()
	onceCh() <- struct{}{}
	<-onceCh()
	// Draws.
	var key [16]byte
	_, _ = rand.Read(key[:])
	l.log("crypto %x;", key)
	seed := maphash.MakeSeed()
	l.log("maphash %x;", maphash.String(seed, "x"))
	var n atomic.Int32
	for i := range 10 {
		wg.Go(func() {
			v := n.Add(1)
			l.log("atomic %d %d %d;", i, v, randv2.IntN(1000))
			select {
			case <-time.After(time.Duration(v) * time.Millisecond):
			case <-time.After(5 * time.Millisecond):
			}
			l.log("after %d;", i)
		})
	}
	keys := maps.Keys(map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true})
	for k := range keys {
		l.log("small %d;", k)
	}
	wg.Wait()
	// Nobody but the one that waits for rest.
	for i := range 5 {
		time.AfterFunc(time.Hour, func() { time.Sleep(0); l.log("rest %d;", i) })
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	l.log("rested;")
}

func TestChaos(t *testing.T) {
	if !ordered.Available() {
		t.Skip("on the stock runtime")
	}
	n, _ := strconv.Atoi(os.Getenv("N"))
	if n == 0 {
		n = 20
	}
	seed, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if seed == 0 {
		seed = 1
	}
	out := map[uint64]int{}
	turns := map[uint64]int{}
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := arm(seed); err != nil {
					t.Fatal(err)
				}
				l := &logger{h: fnv.New64a(), start: time.Now()}
				if dir := os.Getenv("DUMPDIR"); dir != "" {
					f, _ := os.Create(fmt.Sprintf("%s/%d", dir, i))
					defer f.Close()
					l.out = f
				}
				chaos(l)
				out[l.h.Sum64()]++
				r, _ := ordered.Now()
				turns[r.Hash]++
				if i > 1 && cur != nil {
					if k := ordered.Part(prev, cur); k >= 0 && k < cur.Len() {
						for d := -1; d < 2; d++ {
							t.Logf("part at %d:\nA %s\nB %s", k+d, ordered.Stack(prev, k+d), ordered.Stack(cur, k+d))
						}
						i = n
					}
				}
				if i == 0 || r.Disturbed > 0 {
					t.Logf("%d events, %+v", l.n, r)
				}
			})
		})
	}
	t.Logf("%d outcomes in %d runs, %d sequences of turns", len(out), n, len(turns))
	for k, v := range out {
		if len(out) < 4 {
			t.Logf("%x %d", k, v)
		}
	}
}

func arm(seed uint64) error {
	if os.Getenv("NOARM") != "" {
		return nil
	}
	if os.Getenv("EV") != "" {
		prev = cur
		cur = ordered.NewEvents(1 << 14)
	}
	return ordered.Arm(seed, seed > 1, cur)
}

var cur, prev *ordered.Events
