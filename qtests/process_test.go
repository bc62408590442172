package qtests

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

// What one bubble leaves in the process must not end it: each of these children
// died of a fatal error of the runtime.
func TestNothingEndsTheProcess(t *testing.T) {
	for name, args := range map[string][]string{
		"names":             nil,
		"names twice":       {"-test.count=2"},
		"signals":           {"-test.count=2"},
		"pooled timers":     {"-test.count=3"},
		"timers, by seeds":  {"-qtests.seeds=3"},
		"timers, verified":  {"-qtests.verify"},
		"pooled channels":   {"-test.count=3"},
		"pools of subtests": nil,
	} {
		t.Run(name, func(t *testing.T) {
			child := map[string]string{
				"names": "names", "names twice": "names", "signals": "signals", "pooled timers": "timers", "timers, by seeds": "timers",
				"timers, verified": "timers", "pooled channels": "channels", "pools of subtests": "subtests",
			}[name]
			out, passed := runChild(t, "^TestChildProcess$/^"+child+"$", args...)
			require.True(t, passed)
			require.NotContains(t, out, "qtests: something made in the bubble")
		})
	}
}

func TestChildProcess(t *testing.T) {
	child(t)
	t.Run("names", func(t *testing.T) {
		Run(t, func(*T) { _, _ = net.LookupHost("localhost") })
		_, err := net.LookupHost("localhost")
		require.NoError(t, err)
	})
	t.Run("signals", func(t *testing.T) {
		notify := func(ctx context.Context) {
			_, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
			stop()
		}
		Run(t, func(q *T) { notify(q.Context()) })
		notify(t.Context())
		Run(t, func(q *T) { notify(q.Context()) })
	})
	t.Run("timers", func(t *testing.T) { Run(t, usePooledTimer) })
	t.Run("channels", func(t *testing.T) { Run(t, usePooledChannel) })
	t.Run("subtests", func(t *testing.T) {
		for _, name := range []string{"a", "b", "c"} {
			t.Run(name, func(t *testing.T) { Run(t, usePooledTimer) })
			t.Run(name, func(t *testing.T) { Run(t, usePooledChannel) })
		}
	})
}

var pooledTimers = sync.Pool{New: func() any {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}}

// usePooledTimer waits as go-redis does.
func usePooledTimer(*T) {
	timer := pooledTimers.Get().(*time.Timer)
	timer.Reset(time.Second)
	<-timer.C
	pooledTimers.Put(timer)
}

var pooledChannels = sync.Pool{New: func() any { return make(chan error, 1) }}

// usePooledChannel hands an error on as the HTTP/2 server does.
func usePooledChannel(*T) {
	c := pooledChannels.Get().(chan error)
	c <- io.EOF
	if err := <-c; err != io.EOF {
		panic(err)
	}
	pooledChannels.Put(c)
}

// TestReportsBeforeTheEnd: where the process cannot be saved, it says why first,
// without -v as well.
func TestReportsBeforeTheEnd(t *testing.T) {
	t.Run("server outside", func(t *testing.T) {
		out, passed := runChild(t, "^TestChildReports$/^server$", "-test.v=false", "-qtests.stall=100ms")
		require.False(t, passed)
		require.Contains(t, out, "stands still")
		require.Contains(t, out, "Waiting for the network")
		require.Contains(t, out, "the Close of an httptest.Server")
	})
	t.Run("context outside", func(t *testing.T) {
		out, passed := runChild(t, "^TestChildReports$/^context$", "-test.v=false")
		require.False(t, passed)
		require.Contains(t, out, "which is one of real time, is used inside the bubble, at 2000-01-01T00:00:00Z.")
		require.Regexp(t, `process_test.go:\d+: qtests: a context with the deadline`, out)
	})
	t.Run("made once", func(t *testing.T) {
		out, passed := runChild(t, "^TestChildReports(Next)?$/^once$", "-test.v=false")
		require.False(t, passed)
		require.Equal(t, !ordered.Available(), strings.Contains(out, "qtests: something made in the bubble of TestChildReports/once is still there after it"))
		require.Contains(t, out, "synctest channel from outside bubble", "what it warns of")
	})
	t.Run("left behind", func(t *testing.T) {
		out, passed := runChild(t, "^TestChildReports$/^finalizer$", "-test.v=false")
		require.False(t, passed)
		require.Contains(t, out, "1 goroutine is left behind in the bubble")
		require.Contains(t, out, "a finalizer or the timeout of a context, touched what the bubble left")
	})
}

var (
	once     sync.Once
	onceDone chan error
)

func TestChildReports(t *testing.T) {
	child(t)
	t.Run("server", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		defer server.Close()
		Run(t, func(*T) {
			resp, err := server.Client().Get(server.URL)
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body) // so that the connection is kept
				_ = resp.Body.Close()
			}
			if err != nil {
				panic(err)
			}
		})
	})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		Run(t, func(q *T) {
			ctx, cancel := q.Clock().WithTimeout(ctx, time.Second)
			defer cancel()
			<-ctx.Done()
		})
	})
	t.Run("once", func(t *testing.T) {
		Run(t, func(*T) { once.Do(func() { onceDone = make(chan error, 1) }) })
	})
	t.Run("finalizer", func(t *testing.T) {
		waits := func() error { return <-make(chan error) }
		Run(t, func(*T) { go func() { _ = waits() }() })
	})
}

func TestChildReportsNext(t *testing.T) {
	child(t)
	t.Run("once", func(t *testing.T) {
		Run(t, func(*T) {})
		onceDone <- io.EOF
	})
}
