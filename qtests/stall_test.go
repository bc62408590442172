package qtests

import (
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

func TestStallFailsItsTestAndNoOther(t *testing.T) {
	several := []string{"Waiting for a mutex (2)", "Waiting for a channel made outside the bubble (1)"}
	if ordered.Available() {
		several = several[1:] // those who wait for the mutex wait durably
	}
	const nothingWakes = "Nothing can wake the goroutines of this bubble any more, at "
	for _, c := range []struct {
		name    string
		want    []string
		ordered []string // what is said on the ordered runtime, if that is something else
	}{
		{"Mutex", []string{"Waiting for a mutex (1)", "unlock before sleeping", "stall_test.go:",
			"The mutex is held by one of these, or by nobody any more:", "[sleep]:"}, []string{"the mutex came after 1s", "behind the run"}},
		{"Once", []string{"Waiting for a mutex (1)", "a sync.Once): run the test on the ordered runtime, with go tool qtests test",
			"a latency of zero", "or wrap it"}, []string{"the token came after 1s"}},
		{"OuterChannel", []string{"Waiting for a channel made outside the bubble (1)", "Make the channel inside"}, nil},
		{"Late", []string{"Waiting for a channel made outside the bubble (1)"}, nil},
		{"OuterGroup", []string{"Waiting for a WaitGroup made outside the bubble (1)"}, nil},
		{"Network", []string{"in a call that may come back by itself; waiting up to 300ms", "Waiting for the network (1)", "q.Serve"}, nil},
		{"LockOrder", []string{"Waiting for a mutex (2)", "These wait for each other, each with a mutex that another one wants:\n", "Let all lock them in one order."},
			[]string{nothingWakes + "0s of fake time", "These wait for each other, each with a mutex that another one wants:\n", "Let all lock them in one order."}},
		{"LockOrderReaders", []string{"Waiting for a mutex (2)"}, []string{nothingWakes + "0s of fake time"}},
		{"LockOrderOthers", []string{"These may wait for each other", "The mutex is held by one of these, or by nobody any more:", "[sleep]:"},
			[]string{nothingWakes + "1h0m0s of fake time", "These wait for each other"}},
		{"Pipe", []string{"Waiting for a pipe, a terminal or a device (1)", "use io.Pipe"}, nil},
		{"Several", several, nil},
		{"Crowd", []string{"Waiting for a channel made outside the bubble (1)"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildStall$/^"+c.name+"$|^TestChildStall$/^Neighbour$", "-qtests.stall=50ms")
			want, stalls, passes := c.want, true, false
			if ordered.Available() && c.ordered != nil {
				want, stalls, passes = c.ordered, false, !strings.HasPrefix(c.name, "LockOrder")
			}
			require.Equal(t, passes, passed)
			require.Equal(t, !passes, strings.Contains(out, "--- FAIL: TestChildStall/"+c.name))
			require.Contains(t, out, "--- PASS: TestChildStall/Neighbour")
			require.Equal(t, stalls, strings.Contains(out, "TestChildStall/"+c.name+" stands still"))
			for _, w := range want {
				require.Contains(t, out, w)
			}
			require.NotContains(t, out, "panic:")
			require.Equal(t, passes && c.name == "Mutex", strings.Contains(out, "behind the run"))
			if strings.HasPrefix(c.name, "LockOrder") {
				_, both, _ := strings.Cut(out, "wait for each other, each with a mutex that another one wants:")
				require.Regexp(t, `^\s+goroutine \d+ at \S+stall_test.go:\d+\n\s+goroutine \d+ at \S+stall_test.go:\d+\n`, both)
			} else {
				require.NotContains(t, out, "for each other")
			}
			require.Equal(t, !ordered.Available() && slices.Contains([]string{"Mutex", "Once", "LockOrder", "LockOrderReaders", "LockOrderOthers", "Several"}, c.name),
				strings.Contains(out, "Waiting for a mutex"))
			require.Equal(t, c.name == "Network", strings.Contains(out, "Waiting for the network"))
		})
	}
}

// lockBoth locks one mutex, and another when both have arrived, whom somebody else
// has locked meanwhile.
func lockBoth(arrive *sync.WaitGroup, first, second func()) {
	first()
	arrive.Done()
	arrive.Wait()
	second()
}

func TestChildStall(t *testing.T) {
	child(t)
	t.Run("Mutex", func(t *testing.T) {
		Run(t, func(q *T) {
			var mu sync.Mutex
			q.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				q.Clock().Sleep(time.Second)
			})
			q.Wait()
			mu.Lock()
			q.Logf("the mutex came after %v", q.Elapsed())
		})
		t.Log("behind the run")
	})
	t.Run("Once", func(t *testing.T) {
		Run(t, func(q *T) {
			var once sync.Once
			token := func() { once.Do(func() { q.Clock().Sleep(time.Second) }) }
			q.Go(token)
			q.Wait()
			token()
			q.Logf("the token came after %v", q.Elapsed())
		})
	})
	outer := make(chan struct{})
	t.Run("OuterChannel", func(t *testing.T) { Run(t, func(*T) { <-outer }) })
	t.Run("OuterGroup", func(t *testing.T) {
		outerGroup.Add(1)
		Run(t, func(*T) { outerGroup.Wait() })
	})
	t.Run("Network", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		Run(t, func(q *T) { _, _ = l.Accept() })
	})
	lockOrder := func(begin func(q *T), first, second [2]func()) func(t *testing.T) {
		return func(t *testing.T) {
			Run(t, func(q *T) {
				begin(q)
				var arrive, all sync.WaitGroup
				arrive.Add(2)
				all.Go(func() { lockBoth(&arrive, first[0], first[1]) })
				all.Go(func() { lockBoth(&arrive, second[0], second[1]) })
				all.Wait()
			})
		}
	}
	var mu struct{ a, b, c, d sync.Mutex }
	var rw, other sync.RWMutex
	t.Run("LockOrder", lockOrder(func(*T) {}, [2]func(){mu.a.Lock, mu.b.Lock}, [2]func(){mu.b.Lock, mu.a.Lock}))
	t.Run("LockOrderReaders", lockOrder(func(*T) {}, [2]func(){rw.Lock, other.RLock}, [2]func(){other.Lock, rw.Lock}))
	t.Run("LockOrderOthers", lockOrder(func(q *T) { q.Go(func() { q.Clock().Sleep(time.Hour) }); q.Wait() },
		[2]func(){mu.c.Lock, mu.d.Lock}, [2]func(){mu.d.Lock, mu.c.Lock}))
	t.Run("Pipe", func(t *testing.T) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer w.Close()
		defer r.Close()
		Run(t, func(*T) { _, _ = r.Read(make([]byte, 1)) })
	})
	t.Run("Several", func(t *testing.T) {
		Run(t, func(q *T) {
			var mu sync.Mutex
			mu.Lock()
			for range 2 {
				go mu.Lock()
			}
			<-outer
		})
	})
	t.Run("Crowd", func(t *testing.T) {
		Run(t, func(q *T) {
			inner := make(chan struct{})
			for range 1500 {
				q.Go(func() { <-inner })
			}
			<-outer
		})
	})
	t.Run("Late", func(t *testing.T) {
		Run(t, func(q *T) {
			<-outer
			q.Skip("too late to say so")
		})
	})
	t.Run("Neighbour", func(t *testing.T) {
		// What was left behind comes back to life beside it, and reports.
		close(outer)
		Run(t, func(q *T) { q.Sleep(time.Hour) })
	})
}

var outerGroup sync.WaitGroup

// Looks are as far apart as lets them take a twentieth of the time, and each counts for the time until the next.
func TestLooksBesideMany(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		goroutines int
		rest       time.Duration
	}{{1, 250 * time.Millisecond}, {2500, 250 * time.Millisecond}, {2501, 250100 * time.Microsecond}, {1_000_000, 100 * time.Second}} {
		w := watchdog{limit: 5 * time.Second, every: 250 * time.Millisecond}
		w.pause(now, c.goroutines)
		require.Equal(t, c.rest, w.rest)
		require.Equal(t, now.Add(c.rest-w.every), w.next, "the ticks are 250 ms apart: the next one, where few are")
	}
}

func TestVerdicts(t *testing.T) {
	begin := time.Now()
	outer, network := stacks.Goroutine{State: "chan receive"}, stacks.Goroutine{State: "IO wait"}
	require.True(t, network.Cause().MayResolve)
	for _, c := range []struct {
		still, seen time.Duration
		culprits    []stacks.Goroutine
		warned      bool
		want        verdict
	}{
		{5 * time.Second, 5 * time.Second, nil, false, moves},
		{5 * time.Second, 5 * time.Second, []stacks.Goroutine{outer}, false, stalled},
		{5*time.Second - 1, 5 * time.Second, []stacks.Goroutine{outer}, false, moves},
		{time.Hour, 5*time.Second - 1, []stacks.Goroutine{outer}, false, moves},
		{5 * time.Second, 5 * time.Second, []stacks.Goroutine{outer, network}, false, mayResolve},
		{6 * time.Second, 6 * time.Second, []stacks.Goroutine{network}, true, moves},
		{30 * time.Second, 30 * time.Second, []stacks.Goroutine{network}, true, stalled},
		{30 * time.Second, 30*time.Second - 1, []stacks.Goroutine{network}, true, moves},
	} {
		w := watchdog{limit: 5 * time.Second, still: begin, seen: c.seen, warned: c.warned}
		require.Equal(t, c.want, w.verdict(begin.Add(c.still), c.culprits), c)
		require.Equal(t, c.warned || c.want == mayResolve, w.warned)
	}
	w := watchdog{limit: 5 * time.Second, busyLooks: stallSamples + 1, busyFor: 5 * time.Second}
	require.Equal(t, spins, w.verdict(begin, nil))
	require.Equal(t, moves, w.verdict(begin, nil), "it is told once")
	require.Equal(t, moves, (&watchdog{limit: 5 * time.Second, busyLooks: stallSamples, busyFor: time.Hour}).verdict(begin, nil))
	require.Equal(t, moves, (&watchdog{limit: 5 * time.Second, busyLooks: 100, busyFor: 5*time.Second - 1}).verdict(begin, nil))
}

func TestStallSparesTheBusyAndThePatient(t *testing.T) {
	out, passed := runChildUntilItSays(t, "a system call", "^TestChildBusy$", "-qtests.stall=200ms")
	require.True(t, passed)
	require.NotContains(t, out, "stands still:")
	require.Contains(t, out, "a system call")
}

// A loop that never waits is named, on standard error too, and the test goes on.
func TestStallNamesALoop(t *testing.T) {
	out, passed := runChildUntilItSays(t, "this goroutine was running", "^TestChildSpin$", "-qtests.stall=50ms", "-test.v=false")
	require.True(t, passed)
	require.Equal(t, 1, strings.Count(out, "over "), "once: %s", out)
	require.Regexp(t, `qtests: TestChildSpin: in each of \d+ looks, over \S+ of real time, this goroutine was running`, out)
	require.Regexp(t, `goroutine \d+ \[\w+\] at \S+stall_test.go:\d+\n`, out)
	require.Contains(t, out, "qtests.spin(")
	require.NotContains(t, out, "qtests.lockBoth(")
}

func TestChildSpin(t *testing.T) {
	child(t)
	var over atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)                              // ends when the loop is named
		time.AfterFunc(300*time.Millisecond, func() { over.Store(true) }) // time to name it again
	}()
	Run(t, func(q *T) {
		q.Go(func() { q.Clock().Sleep(time.Hour) })
		spin(&over)
		q.Sleep(2 * time.Hour)
	})
}

//go:noinline
func spin(over *atomic.Bool) {
	for n := 0; !over.Load(); n++ {
		runtime.KeepAlive(n)
	}
}

func TestChildBusy(t *testing.T) {
	child(t)
	t.Run("CPU", func(t *testing.T) {
		Run(t, func(q *T) {
			for begun := q.RealElapsed(); q.RealElapsed()-begun < 300*time.Millisecond; {
				for range 1_000_000 {
					runtime.KeepAlive(q)
				}
			}
		})
	})
	t.Run("Subprocess", func(t *testing.T) {
		Run(t, func(q *T) {
			cmd := exec.Command("cat")
			cmd.Stdin = os.Stdin // ends when the watchdog has spoken
			require.NoError(q, cmd.Run())
		})
	})
	t.Run("ManyEvents", func(t *testing.T) {
		Run(t, func(q *T) {
			for q.RealElapsed() < 300*time.Millisecond {
				time.Sleep(time.Second) // package time: the clock sees nothing of it
			}
		})
	})
}
