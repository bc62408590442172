package ordered_test

import (
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What one bubble leaves in the process, the next one can use.

// inBubbles calls f in three bubbles, one after the other, with their numbers from 1.
func inBubbles(t *testing.T, f func(t *testing.T, n int)) {
	t.Helper()
	for n := 1; n <= 3; n++ {
		inBubble(t, 1, nil, func(t *testing.T) { f(t, n) })
	}
}

func TestPoolsAreOfTheirBubble(t *testing.T) {
	needsOrdered(t)
	var made int
	channels := sync.Pool{New: func() any { made++; return make(chan int, 1) }}
	timers := sync.Pool{}
	inBubbles(t, func(t *testing.T, n int) {
		require.Nil(t, timers.Get(), "what another bubble put there")
		c := channels.Get().(chan int)
		require.Equal(t, n, made, "one of this bubble's own")
		c <- n
		require.Equal(t, n, <-c)
		timer := time.NewTimer(time.Hour)
		channels.Put(c)
		timers.Put(timer)
		require.Equal(t, c, channels.Get(), "this bubble's own comes back")
		require.Equal(t, timer, timers.Get())
		channels.Put(c)
		timers.Put(timer)
	})
	require.Nil(t, timers.Get(), "nor outside")
	outside := make(chan int, 1)
	channels.Put(outside)
	inBubble(t, 1, nil, func(t *testing.T) { require.NotEqual(t, outside, channels.Get()) })
}

// TestPoolHandsBackTheLast: the collector does not decide what comes out.
func TestPoolHandsBackTheLast(t *testing.T) {
	inBubble(t, 2, nil, func(t *testing.T) {
		var p sync.Pool
		for i := range 1000 {
			p.Put(&i)
		}
		for range 3 {
			runtime.GC()
		}
		for i := 999; i >= 0; i-- {
			require.Equal(t, i, *p.Get().(*int))
		}
		require.Nil(t, p.Get())
	})
}

func TestChannelMadeOnce(t *testing.T) {
	once := sync.OnceValue(func() chan int { return make(chan int, 1) })
	unbuffered := sync.OnceValue(func() chan int { return make(chan int) })
	inBubbles(t, func(t *testing.T, n int) {
		once() <- n
		require.Len(t, once(), 1)
		require.Equal(t, n, <-once())
		go func() { unbuffered() <- n }()
		select {
		case x := <-unbuffered():
			require.Equal(t, n, x)
		case <-time.After(time.Hour):
			t.Error("the channel is dead")
		}
	})
}

func TestTimerOfTheLastBubble(t *testing.T) {
	for name, stop := range map[string]bool{"stopped": true, "in the heap": false} {
		t.Run(name, func(t *testing.T) {
			var timer *time.Timer
			var ticker *time.Ticker
			inBubbles(t, func(t *testing.T, n int) {
				if n == 1 {
					timer, ticker = time.NewTimer(2*time.Hour), time.NewTicker(2*time.Hour)
				} else {
					start := time.Now()
					timer.Reset(time.Hour)
					ticker.Reset(time.Minute)
					require.Equal(t, start.Add(time.Minute), <-ticker.C)
					require.Equal(t, start.Add(2*time.Minute), <-ticker.C)
					require.Equal(t, start.Add(time.Hour), <-timer.C)
					timer.Reset(time.Hour)
				}
				if stop {
					timer.Stop()
					ticker.Stop()
				}
			})
		})
	}
}

func TestWaitGroupOfTheLastBubble(t *testing.T) {
	wg := new(sync.WaitGroup)
	inBubbles(t, func(t *testing.T, n int) {
		start := time.Now()
		for range n {
			wg.Go(func() { time.Sleep(time.Hour) })
		}
		wg.Wait()
		require.Equal(t, time.Hour, time.Since(start))
	})
	runtime.KeepAlive(wg)
}

func TestCondOfTheLastBubble(t *testing.T) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	inBubbles(t, func(t *testing.T, _ int) {
		woken := false
		go func() {
			time.Sleep(time.Hour)
			mu.Lock()
			woken = true
			cond.Broadcast()
			mu.Unlock()
		}()
		mu.Lock()
		for !woken {
			cond.Wait()
		}
		mu.Unlock()
	})
}

// TestNamesInTwoBubbles: the resolver makes what it keeps in the first of them.
func TestNamesInTwoBubbles(t *testing.T) {
	needsOrdered(t)
	require.Equal(t, []string{"looked up 1", "looked up 2", "looked up 3"}, inProcess(t, "TestChildNames"))
}

func TestChildNames(t *testing.T) {
	child(t)
	inBubbles(t, func(t *testing.T, n int) {
		_, err := net.LookupHost("localhost")
		require.NoError(t, err)
		tell("looked up %d", n)
	})
}

// echo is served by a goroutine that the initialisation of this package starts.
var echo = struct{ ask, answer chan int }{make(chan int), make(chan int)}

func init() { go serveEcho() }

func serveEcho() {
	for x := range echo.ask {
		echo.answer <- x
	}
}

func TestGoroutineOfInitStaysOutside(t *testing.T) {
	inBubbles(t, func(t *testing.T, n int) {
		echo.ask <- n
		require.Equal(t, n, <-echo.answer)
		dump := make([]byte, 1<<20)
		stacks := strings.Split(string(dump[:runtime.Stack(dump, true)]), "\n\n")
		found := 0
		for _, stack := range stacks {
			if strings.Contains(stack, "ordered_test.serveEcho(") {
				found++
				header, _, _ := strings.Cut(stack, "\n")
				require.NotContains(t, header, "bubble")
			}
		}
		require.Equal(t, 1, found)
	})
}
