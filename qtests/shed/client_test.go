package shed_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/shed"
)

// The chance of the SRE book: a backend that takes a fifth of what it gets, gets about twice as many as it takes.
func TestThrottle(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		r := q.Rand("throttle")
		th, err := shed.NewThrottle(shed.ThrottleConfig{Clock: q.Clock(), Rand: r.Float64})
		require.NoError(q, err)
		accepted := 0
		client := http.Client{Transport: th.RoundTripper(q.Direct(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if accepted++; accepted%100 > 20 && q.Elapsed() > 10*time.Minute && q.Elapsed() < 30*time.Minute {
				w.WriteHeader(503)
			}
		})).Transport)}
		send := func(d time.Duration) shed.ThrottleStats {
			before := th.Stats()
			for range d / (100 * time.Millisecond) {
				resp, err := client.Get("http://shop/")
				if err == nil {
					_ = resp.Body.Close()
				} else {
					require.ErrorIs(q, err, shed.ErrRefused)
				}
				q.Sleep(100 * time.Millisecond)
			}
			x := th.Stats()
			return shed.ThrottleStats{Offered: x.Offered - before.Offered, Sent: x.Sent - before.Sent, Refused: x.Refused - before.Refused, Accepted: x.Accepted - before.Accepted}
		}
		calm := send(10 * time.Minute)
		require.Zero(q, calm.Refused)
		send(5 * time.Minute)
		overloaded := send(15 * time.Minute)
		require.Equal(q, overloaded.Offered, overloaded.Sent+overloaded.Refused)
		// p sent of n, 0.2·p accepted: p = n·(1 - (n - 2·0.2·p)/n), which is p = 0.4·p, has only 0 as a rest point:
		// what is sent falls until the accepts of the window are few; it never stops.
		require.Less(q, overloaded.Sent, overloaded.Offered/5)
		require.Greater(q, overloaded.Sent, uint64(0))
		send(20 * time.Minute)
		require.Zero(q, send(5*time.Minute).Refused, "well again")
	})
}

func TestThrottleFormula(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		th, err := shed.NewThrottle(shed.ThrottleConfig{Clock: q.Clock(), Rand: func() float64 { return 1 }})
		require.NoError(q, err)
		for i := range 10 {
			require.True(q, th.Allow())
			th.Result(i < 3)
		}
		require.InDelta(q, (10-2*3)/11.0, th.Stats().Chance, 1e-12)
		q.Sleep(110 * time.Second)
		require.InDelta(q, 4/11.0, th.Stats().Chance, 1e-12)
		q.Sleep(10 * time.Second)
		require.Zero(q, th.Stats().Chance, "two minutes are over")
	})
}

func TestBulkheads(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		b, err := shed.NewBulkheads(shed.Config{Name: "out", Clock: q.Clock()}, 1, 2)
		require.NoError(q, err)
		hold := func(key string) error {
			return b.Do(q.Context(), key, func(context.Context) error { q.Sleep(time.Minute); return nil })
		}
		q.Go(func() { require.NoError(q, hold("slow")) })
		q.Sleep(time.Second)
		require.EqualError(q, hold("slow"), "shed: out slow refused: over the limit")
		require.NoError(q, b.Do(q.Context(), "fast", func(context.Context) error { return nil }), "a slow one takes no place from another")
		require.EqualError(q, hold("third"), "shed: out refused: too many keys")
		require.Equal(q, []string{"fast", "slow"}, b.Keys())
		rt := b.RoundTripper(q.Direct(nil).Transport)
		_, err = rt.RoundTrip(httptest.NewRequest("GET", "http://third/", strings.NewReader("x")))
		require.ErrorIs(q, err, shed.ErrRefused)
		q.Sleep(2 * time.Minute)
	})
	_, err := shed.NewBulkheads(shed.Config{}, 0, 1)
	require.EqualError(t, err, "shed: Config.Limit: shed: Fixed: 0 is below 1")
}

// A bucket of one token a second.
type bucket struct{ next time.Time }

func (b *bucket) AllowN(now time.Time, n int) bool {
	if now.Before(b.next) {
		return false
	}
	b.next = now.Add(time.Duration(n) * time.Second)
	return true
}

func TestRateLimit(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		refused := 0
		client := q.Direct(shed.RateLimit(&bucket{}, q.Clock(), func(*http.Request) { refused++ }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		got := map[int]int{}
		for range 10 {
			resp, err := client.Get("http://shop/")
			require.NoError(q, err)
			_ = resp.Body.Close()
			got[resp.StatusCode]++
			q.Sleep(500 * time.Millisecond)
		}
		require.Equal(q, map[int]int{200: 5, 429: 5}, got)
		require.Equal(q, 5, refused)
	})
}
