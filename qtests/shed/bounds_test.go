package shed

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The ends of the ranges belong to them, where the documentation says so.
func TestBoundsOfConfigs(t *testing.T) {
	classes := func(n int) (all []Class) {
		for i := range n {
			all = append(all, Class{Name: fmt.Sprint("c", i)})
		}
		return all
	}
	for n, fails := range map[int]bool{MaxClasses: false, MaxClasses + 1: true} {
		_, err := New(Config{Limit: &AIMD{}, Classes: classes(n)})
		require.Equal(t, fails, err != nil, "%d classes: %v", n, err)
	}
	for backoff, fails := range map[float64]bool{0: false, 0.49: true, 0.5: false, 0.99: false, 1: true} {
		require.Equal(t, fails, (&AIMD{Backoff: backoff}).Check() != nil, "backoff %v", backoff)
	}
	require.NoError(t, (&AIMD{Min: 5, Max: 5}).Check())
	require.Error(t, (&AIMD{Min: 6, Max: 5}).Check())
	for k, fails := range map[float64]bool{0.99: true, 1: false, 2: false} {
		_, err := NewThrottle(ThrottleConfig{K: k})
		require.Equal(t, fails, err != nil, "K %v", k)
	}
}

// Of a class that is not known the last of the lowest priority takes the requests.
func TestUnknownClass(t *testing.T) {
	x := &classes{byName: map[string]*class{}}
	for _, c := range []Class{{Name: "a", Priority: 2}, {Name: "b", Priority: 1}, {Name: "c", Priority: 1}, {Name: "d", Priority: 3}} {
		x.all = append(x.all, &class{Class: c})
	}
	require.Equal(t, "c", x.named("x").Name)
}

// A gradient learns nothing from fewer requests than half of its limit.
func TestGradientAtHalfItsLimit(t *testing.T) {
	for inFlight, changes := range map[int]bool{9: false, 10: true} {
		g := &Gradient{Initial: 20, Min: 1, Max: 100, QueueSize: 100}
		require.NoError(t, g.Check())
		g.Sample(Sample{Latency: time.Millisecond, InFlight: inFlight})
		require.Equal(t, changes, g.Limit() != 20, "%d in flight", inFlight)
	}
}

// Vegas probes after jitter·Probe·limit samples; the jitter is drawn from 0.5 to 1.
func TestVegasProbes(t *testing.T) {
	for drawn, want := range map[float64]int{0: 150, 0.5: 225} {
		v := &Vegas{Initial: 10, Max: 10, Rand: func() float64 { return drawn }}
		require.NoError(t, v.Check())
		v.Sample(Sample{Latency: time.Millisecond})
		n := 1
		for ; v.n != 0; n++ {
			v.Sample(Sample{Latency: time.Second, InFlight: 1})
			require.Less(t, n, 1000)
		}
		require.Equal(t, want, n, "jitter %v", 0.5+drawn/2)
		require.Equal(t, time.Second, v.least, "it has forgotten what was fast")
	}
}

// What a handler answers with says whether it was overloaded, informational answers aside.
func TestStatusThatCounts(t *testing.T) {
	dropped := Config{}.Dropped
	require.Nil(t, dropped)
	g, err := New(Config{Limit: &AIMD{}})
	require.NoError(t, err)
	for status, want := range map[int]bool{200: false, 428: false, 429: true, 500: false, 502: false, 503: true, 504: true} {
		require.Equal(t, want, g.cfg.Dropped(status), status)
	}
	for name, tc := range map[string]struct {
		statuses []int
		want     int
	}{"early hints": {[]int{103, 503}, 503}, "twice": {[]int{200, 503}, 200}, "switching": {[]int{101, 200}, 101}} {
		w := &statusWriter{ResponseWriter: quiet{httptest.NewRecorder()}}
		for _, s := range tc.statuses {
			w.WriteHeader(s)
		}
		require.Equal(t, tc.want, w.status, name)
	}
}

// quiet takes statuses more than once.
type quiet struct{ http.ResponseWriter }

func (quiet) WriteHeader(int) {}
