package qtests

import (
	"net"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStallFailsItsTestAndNoOther(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"Mutex", []string{"Waiting for a mutex (1)", "unlock before sleeping", "stall_test.go:",
			"The mutex is held by one of these, or by nobody any more:", "[sleep]:"}},
		{"Once", []string{"Waiting for a mutex (1)", "a sync.Once): run the test on the ordered runtime, with go tool qtests test",
			"a latency of zero", "or wrap it"}},
		{"OuterChannel", []string{"Waiting for a channel made outside the bubble (1)", "Make the channel inside"}},
		{"Late", []string{"Waiting for a channel made outside the bubble (1)"}},
		{"OuterGroup", []string{"Waiting for a WaitGroup made outside the bubble (1)"}},
		{"Subtest", []string{"Waiting for other tests, in t.Parallel (1)", "Turn it round"}},
		{"Network", []string{"in a call that may come back by itself; waiting up to 300ms", "Waiting for the network (1)", "q.Serve"}},
		{"Several", []string{"Waiting for a mutex (2)", "Waiting for a channel made outside the bubble (1)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, passed := runChild(t, "^TestChildStall$/^"+c.name+"$|^TestChildStall$/^Neighbour$", "-qtests.stall=50ms")
			require.False(t, passed)
			require.Contains(t, out, "--- FAIL: TestChildStall/"+c.name)
			require.Contains(t, out, "--- PASS: TestChildStall/Neighbour")
			require.Contains(t, out, "TestChildStall/"+c.name+" stands still")
			for _, w := range c.want {
				require.Contains(t, out, w)
			}
			require.NotContains(t, out, "panic:")
			require.NotContains(t, out, "never printed")
		})
	}
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
		})
		t.Log("never printed")
	})
	t.Run("Once", func(t *testing.T) {
		Run(t, func(q *T) {
			var once sync.Once
			token := func() { once.Do(func() { q.Clock().Sleep(time.Second) }) }
			q.Go(token)
			q.Wait()
			token()
		})
	})
	outer := make(chan struct{})
	t.Run("OuterChannel", func(t *testing.T) { Run(t, func(*T) { <-outer }) })
	t.Run("OuterGroup", func(t *testing.T) {
		outerGroup.Add(1)
		Run(t, func(*T) { outerGroup.Wait() })
	})
	t.Run("Subtest", func(t *testing.T) {
		Run(t, func(*T) { t.Run("inner", func(t *testing.T) { t.Parallel() }) })
	})
	t.Run("Network", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		Run(t, func(q *T) { _, _ = l.Accept() })
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

func TestStallSparesTheBusyAndThePatient(t *testing.T) {
	out, passed := runChild(t, "^TestChildBusy$", "-qtests.stall=50ms")
	require.True(t, passed)
	require.NotContains(t, out, "stands still:")
	require.Contains(t, out, "a system call")
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
		Run(t, func(q *T) { require.NoError(q, exec.Command("sleep", "0.15").Run()) })
	})
	t.Run("ManyEvents", func(t *testing.T) {
		Run(t, func(q *T) {
			for q.RealElapsed() < 300*time.Millisecond {
				time.Sleep(time.Second) // package time: the clock sees nothing of it
			}
		})
	})
}
