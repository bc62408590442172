package ordered_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	mathrand "math/rand"
	randv2 "math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"
)

// A journal is what a run of chaos did, line by line.
type journal struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

func newJournal() *journal { return &journal{start: time.Now()} }

func (l *journal) log(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf("%v ", time.Since(l.start))+fmt.Sprintf(format, args...))
}

// A sem is a semaphore that hands over in the order of arrival.
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

// chaos does everything that is unordered in Go, part by part.
func chaos(l *journal) {
	for _, part := range []func(*journal, *sync.WaitGroup){
		chaosOnce, chaosLimit, chaosMaps, chaosSelect, chaosBroadcast, chaosWorkers, chaosTimers, chaosAllocations,
		chaosMutexes, chaosCoroutines, chaosEnds, chaosDraws, chaosAtomics, chaosRest,
	} {
		var wg sync.WaitGroup
		part(l, &wg)
		wg.Wait()
	}
}

// chaosOnce draws and starts goroutines in the first run of a process alone, which must
// shift nothing that comes at a later instant.
func chaosOnce(*journal, *sync.WaitGroup) {
	once.Do(func() {
		onceVal = mathrand.Int()
		done := make(chan bool)
		for range 5 {
			go func() { done <- mathrand.Intn(2) == 0 }()
			<-done
		}
	})
	time.Sleep(time.Nanosecond)
}

func chaosLimit(l *journal, wg *sync.WaitGroup) {
	s := &sem{free: 5}
	for i := range 200 {
		time.Sleep(10 * time.Millisecond)
		wg.Go(func() {
			s.acquire()
			time.Sleep(time.Duration(1+randv2.IntN(10)) * 10 * time.Millisecond)
			s.release()
			l.log("sem %d", i)
		})
	}
}

func chaosMaps(l *journal, _ *sync.WaitGroup) {
	m := map[string]int{}
	for i := range 50 {
		m[fmt.Sprint("k", i)] = i
	}
	for k := range m {
		l.log("map %s", k)
	}
	for k := range pkgMap {
		l.log("pkg %s", k)
	}
	syncMap.Range(func(k, v any) bool { l.log("sync %v", k); return true })
	for k := range maps.Keys(map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true}) {
		l.log("small %d", k)
	}
}

func chaosSelect(l *journal, _ *sync.WaitGroup) {
	a, b, c := make(chan int, 100), make(chan int, 100), make(chan int, 100)
	for i := range 100 {
		a <- i
		b <- i
		c <- i
	}
	for range 300 {
		select {
		case x := <-a:
			l.log("a%d", x)
		case x := <-b:
			l.log("b%d", x)
		case x := <-c:
			l.log("c%d", x)
		}
	}
}

func chaosBroadcast(l *journal, wg *sync.WaitGroup) {
	gate := make(chan struct{})
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	ready := false
	for i := range 50 {
		wg.Go(func() { <-gate; l.log("gate %d", i) })
		wg.Go(func() {
			mu.Lock()
			for !ready {
				cond.Wait()
			}
			mu.Unlock()
			l.log("cond %d", i)
		})
	}
	time.Sleep(time.Second)
	close(gate)
	mu.Lock()
	ready = true
	cond.Broadcast()
	mu.Unlock()
}

func chaosWorkers(l *journal, wg *sync.WaitGroup) {
	jobs := make(chan int)
	for w := range 8 {
		wg.Go(func() {
			for j := range jobs {
				l.log("w%d j%d", w, j)
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
}

func chaosTimers(l *journal, wg *sync.WaitGroup) {
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		wg.Go(func() { defer cancel(); <-ctx.Done(); l.log("ctx %d", i) })
		time.AfterFunc(time.Second, func() { l.log("af %d", i) })
		t := time.NewTicker(100 * time.Millisecond)
		wg.Go(func() {
			defer t.Stop()
			for range 10 {
				<-t.C
				l.log("tick %d", i)
			}
		})
	}
}

// chaosAllocations keeps the collector busy.
func chaosAllocations(l *journal, wg *sync.WaitGroup) {
	var mu sync.Mutex
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
				l.log("mx %d", i)
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// chaosMutexes holds a mutex and a RWMutex over a sleep.
func chaosMutexes(l *journal, wg *sync.WaitGroup) {
	var mu sync.Mutex
	var rw sync.RWMutex
	for i := range 6 {
		wg.Go(func() {
			mu.Lock()
			time.Sleep(time.Minute)
			mu.Unlock()
			l.log("held %d", i)
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
			l.log("rw %d", i)
		})
	}
}

func chaosCoroutines(l *journal, wg *sync.WaitGroup) {
	for i := range 4 {
		wg.Go(func() {
			next, stop := iter.Pull(numbers(10))
			defer stop()
			for range 8 {
				v, _ := next()
				runtime.Gosched()
				l.log("pull %d %d", i, v)
			}
		})
	}
}

// chaosEnds has pools, ends by panic and Goexit, locked threads, the collector and system
// calls.
func chaosEnds(l *journal, wg *sync.WaitGroup) {
	for i := range 8 {
		wg.Go(func() {
			defer func() { _ = recover(); l.log("end %d", i) }()
			x := pool.Get().(*[64]byte)
			c := chPool.Get().(chan int)
			c <- i
			time.Sleep(time.Duration(randv2.IntN(3)) * time.Millisecond)
			l.log("pool %d %d %d", i, x[0], <-c)
			x[0] = byte(i)
			pool.Put(x)
			chPool.Put(c)
			end(i % 4)
		})
	}
	wg.Wait()
	onceCh() <- struct{}{}
	<-onceCh()
}

func end(how int) {
	switch how {
	case 0:
		panic(how)
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
}

func chaosDraws(l *journal, _ *sync.WaitGroup) {
	var key [16]byte
	_, _ = rand.Read(key[:])
	l.log("crypto %x", key)
	l.log("maphash %x", maphash.String(maphash.MakeSeed(), "x"))
}

func chaosAtomics(l *journal, wg *sync.WaitGroup) {
	var n atomic.Int32
	for i := range 10 {
		wg.Go(func() {
			v := n.Add(1)
			l.log("atomic %d %d %d", i, v, randv2.IntN(1000))
			select {
			case <-time.After(time.Duration(v) * time.Millisecond):
			case <-time.After(5 * time.Millisecond):
			}
			l.log("after %d", i)
		})
	}
}

// chaosRest leaves nobody but the goroutine that waits for rest.
func chaosRest(l *journal, _ *sync.WaitGroup) {
	for i := range 5 {
		time.AfterFunc(time.Hour, func() { time.Sleep(0); l.log("rest %d", i) })
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	l.log("rested")
}
