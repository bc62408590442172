package qtests

import (
	"io"
	"net"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// onOrdered skips a test on the stock runtime.
func onOrdered(t testing.TB) {
	t.Helper()
	if !ordered.Available() {
		t.Skip("on the stock runtime; to run it: go tool qtests test ./qtests")
	}
}

// whenWaiting calls f outside the bubble when a goroutine that runs this function waits there
// in this state, and returns that goroutine as it was. It is called outside.
func whenWaiting(function, state string, f func()) stacks.Goroutine {
	for {
		for _, g := range stacks.Where(stacks.Dump(), func(h *stacks.Header) bool { return h.Bubble != 0 && string(h.State) == state }) {
			if strings.Contains(g.Stack, "."+function+"(") {
				f()
				return g
			}
		}
		runtime.Gosched()
	}
}

// orderAfter returns the order of a run of f at its end.
func orderAfter(t *testing.T, f func(q *T)) (o Order) {
	Run(t, func(q *T) {
		f(q)
		o = q.Order()
	})
	return o
}

// requireDisturbed wants one disturbance of this kind, at the line.
func requireDisturbed(t *testing.T, o Order, what, line string) {
	t.Helper()
	require.True(t, o.Runtime)
	require.Equal(t, what+", at "+line, o.First)
	require.False(t, o.Whole())
	require.NotZero(t, o.Disturbances)
}

func TestOrderIsWhole(t *testing.T) {
	o := orderAfter(t, func(q *T) {
		for range 10 {
			go q.Sleep(time.Hour)
		}
		c := make(chan int)
		go func() { c <- 1 }()
		<-c
		q.Sleep(time.Hour)
	})
	if !ordered.Available() {
		require.Equal(t, Order{}, o)
		require.Equal(t, "ordered by the clock alone, on the stock runtime", o.String())
		require.False(t, o.Whole())
		return
	}
	require.True(t, o.Whole(), "%v", o)
	require.Greater(t, o.Turns, uint64(20))
	require.Regexp(t, `^whole: \d+ turns$`, o.String())
}

// Each of these waits on one line, and is not inlined, so that a dump names it.

//go:noinline
func readOutside(c <-chan int) { <-c }

//go:noinline
func lockOutside(mu *sync.Mutex) { mu.Lock() }

func TestDisturbedFromOutside(t *testing.T) {
	onOrdered(t)
	t.Run("channel", func(t *testing.T) {
		c := make(chan int)
		go whenWaiting("readOutside", "chan receive", func() { c <- 1 })
		o := orderAfter(t, func(*T) { readOutside(c) })
		requireDisturbed(t, o, "woken from outside the bubble", lineOf(readOutside))
		require.EqualValues(t, 1, o.Disturbances)
		require.Contains(t, o.String(), "disturbed 1 time in ")
	})
	t.Run("mutex", func(t *testing.T) {
		var mu sync.Mutex
		mu.Lock()
		go whenWaiting("lockOutside", "sync.Mutex.Lock", mu.Unlock)
		o := orderAfter(t, func(*T) { lockOutside(&mu) })
		requireDisturbed(t, o, "woken from outside the bubble", lineOf(lockOutside))
		require.EqualValues(t, 1, o.Disturbances)
	})
}

// lineOf returns file:line of a function that stands on one line.
func lineOf(f any) string {
	pc := reflect.ValueOf(f).Pointer()
	file, line := runtime.FuncForPC(pc).FileLine(pc)
	return file + ":" + strconv.Itoa(line)
}

//go:noinline
func readNetwork(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }

func TestDisturbedByTheNetwork(t *testing.T) {
	onOrdered(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err := l.Accept()
	require.NoError(t, err)
	go whenWaiting("readNetwork", "IO wait", func() { _, _ = io.WriteString(server, "x") })
	o := orderAfter(t, func(q *T) { require.NoError(q, readNetwork(client)) })
	requireDisturbed(t, o, "woken by the network", lineOf(readNetwork))
	require.EqualValues(t, 1, o.Disturbances)
	for _, c := range []io.Closer{client, server, l} {
		require.NoError(t, c.Close())
	}
}

//go:noinline
func spinUntil(until *atomic.Bool) {
	for !until.Load() {
	}
}

func TestDisturbedByALoop(t *testing.T) {
	onOrdered(t)
	o := orderAfter(t, func(*T) {
		var flag atomic.Bool
		go flag.Store(true)
		spinUntil(&flag)
	})
	require.EqualValues(t, 1, o.Disturbances)
	require.Regexp(t, `^ran for more than 2s while others waited, at .*order_test.go:\d+$`, o.First)
}

type finalized struct {
	c    chan int
	done *atomic.Bool
}

//go:noinline
func finalize(f *finalized) { f.c <- 1; f.done.Store(true) }

func TestDisturbedByAFinalizer(t *testing.T) {
	onOrdered(t)
	o := orderAfter(t, func(*T) {
		c := make(chan int, 1)
		done := new(atomic.Bool)
		runtime.SetFinalizer(&finalized{c, done}, finalize)
		for !done.Load() {
			runtime.GC()
		}
		<-c
	})
	requireDisturbed(t, o, "a channel used by a finalizer or a cleanup", lineOf(finalize))
	require.EqualValues(t, 1, o.Disturbances)
}

// TestStrict holds -qtests.strict to the runtime that this is.
func TestStrict(t *testing.T) {
	for name, want := range map[string]string{"whole": "", "disturbed": "qtests: the order was disturbed 1 time in "} {
		t.Run(name, func(t *testing.T) {
			_, passed := runChild(t, "^TestChildStrict$/^"+name+"$")
			require.True(t, passed, "without the flag")
			out, passed := runChild(t, "^TestChildStrict$/^"+name+"$", "-qtests.strict")
			if !ordered.Available() {
				want = "qtests: -qtests.strict wants the ordered runtime: go tool qtests test"
			}
			require.Equal(t, want == "", passed)
			require.Contains(t, out, want)
		})
	}
}

func TestChildStrict(t *testing.T) {
	child(t)
	t.Run("whole", func(t *testing.T) { Run(t, func(q *T) { q.Sleep(time.Hour) }) })
	t.Run("disturbed", func(t *testing.T) {
		c := make(chan int)
		go whenWaiting("readOutside", "chan receive", func() { c <- 1 })
		Run(t, func(*T) { readOutside(c) })
	})
}

// TestRealElapsedDisturbsNothing: the real time comes from outside, and is no disturbance.
func TestRealElapsedDisturbsNothing(t *testing.T) {
	Run(t, func(q *T) {
		first := q.RealElapsed()
		q.Sleep(time.Hour)
		require.GreaterOrEqual(q, q.RealElapsed(), first)
		require.Less(q, q.RealElapsed(), time.Hour)
		if ordered.Available() {
			require.True(q, q.Order().Whole(), "%v", q.Order())
		}
	})
}
