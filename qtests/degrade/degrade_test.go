package degrade_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/degrade"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDown = errors.New("down")
	ctx     = context.Background()
)

func TestFallback(t *testing.T) {
	best := func(err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return "best", err }
	}
	second := func(err error) func(context.Context, error) (string, error) {
		return func(_ context.Context, cause error) (string, error) { return "second for " + cause.Error(), err }
	}
	v, g, err := degrade.Fallback(ctx, "tips", best(nil), second(nil))
	require.Equal(t, []any{"best", degrade.Full, error(nil)}, []any{v, g, err})
	v, g, err = degrade.Fallback(ctx, "tips", best(errDown), second(nil))
	require.Equal(t, []any{"second for down", degrade.Degraded, error(nil)}, []any{v, g, err})
	_, g, err = degrade.Fallback(ctx, "tips", best(errDown), second(errDown))
	require.Equal(t, degrade.Failed, g)
	require.ErrorIs(t, err, errDown)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	v, g, err = degrade.Fallback(gone, "tips", best(errDown), second(nil))
	require.Equal(t, "best", v, "nobody waits for a second answer")
	require.Equal(t, degrade.Failed, g)
	require.ErrorIs(t, err, errDown)
}

// Fresh for a minute; then asked; old while asking fails, for an hour; then the error.
func TestCache(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		c, err := degrade.NewCache[string, int](degrade.CacheConfig{Clock: q.Clock(), Max: 2})
		require.NoError(q, err)
		var down error
		n := 0
		get := func(key string) (int, degrade.Grade, error) {
			return c.Get(ctx, key, func(context.Context) (int, error) { n++; return n, down })
		}
		is := func(key string, want int, grade degrade.Grade) {
			q.Helper()
			v, g, err := get(key)
			require.NoError(q, err)
			require.Equal(q, want, v)
			require.Equal(q, grade, g)
		}
		is("a", 1, degrade.Full)
		q.Sleep(59 * time.Second)
		is("a", 1, degrade.Full)
		q.Sleep(time.Second)
		is("a", 2, degrade.Full)
		down = errDown
		q.Sleep(59 * time.Minute)
		is("a", 2, degrade.Degraded)
		q.Sleep(time.Minute)
		_, g, err := get("a")
		require.ErrorIs(q, err, errDown)
		require.Equal(q, degrade.Failed, g)
		down = nil
		is("a", 5, degrade.Full)
		is("b", 6, degrade.Full)
		is("a", 5, degrade.Full)
		is("c", 7, degrade.Full) // b was not used for longest
		is("a", 5, degrade.Full)
		is("b", 8, degrade.Full)
		require.Equal(q, degrade.CacheStats{Hits: 3, Loaded: 6, Stale: 1, Failed: 1, Dropped: 2, Values: 2}, c.Stats())
	})
}

// Off when half of the results are bad; tried after Hold, one at a time; on when that works.
func TestSwitch(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s, err := degrade.NewSwitch(degrade.SwitchConfig{Clock: q.Clock()})
		require.NoError(q, err)
		run := func(d time.Duration, good bool) (on int) {
			for range d / time.Second {
				if s.On(ctx) {
					on++
					s.Report(good)
				}
				q.Sleep(time.Second)
			}
			return on
		}
		require.Equal(q, 60, run(time.Minute, true))
		off := run(time.Minute, false)
		require.InDelta(q, 16, off, 2, "half of 30 results of a window, and some tries")
		require.False(q, s.Stats().On)
		require.InDelta(q, 10, run(2*time.Minute, false), 4, "tries")
		require.False(q, s.Stats().On)
		require.Greater(q, run(2*time.Minute, true), 70)
		x := s.Stats()
		require.True(q, x.On)
		require.Equal(q, uint64(2), x.Changes)
		require.Equal(q, 1.0, x.Health)
	})
}

// What began before it was off says nothing about whether it is well again.
func TestLateReportsDoNotTurnOn(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s, err := degrade.NewSwitch(degrade.SwitchConfig{Clock: q.Clock()})
		require.NoError(q, err)
		for range 20 {
			s.Report(false)
		}
		require.False(q, s.On(ctx))
		for range 100 {
			s.Report(true)
		}
		require.False(q, s.On(ctx))
		q.Sleep(degrade.DefaultHold)
		require.True(q, s.On(ctx), "a try")
		require.False(q, s.On(ctx), "one")
		s.Report(true)
		s.Report(true)
		require.True(q, s.Stats().On)
	})
}

func TestMeter(t *testing.T) {
	m := degrade.NewMeter(degrade.MeterConfig{Name: "shop"})
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tips":
			degrade.Mark(r.Context(), "tips")
			degrade.Mark(r.Context(), "tips")
			degrade.Mark(r.Context(), "ads")
			_, _ = w.Write([]byte("x"))
			degrade.Mark(r.Context(), "late")
		case "/flush":
			degrade.Mark(r.Context(), "ads")
			w.(http.Flusher).Flush()
		case "/503":
			degrade.Mark(r.Context(), "ads")
			w.WriteHeader(503)
		case "/500":
			w.WriteHeader(500)
		case "/panic":
			panic(http.ErrAbortHandler)
		}
	}))
	ask := func(path string) http.Header {
		w := httptest.NewRecorder()
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		}()
		return w.Result().Header
	}
	require.Empty(t, ask("/").Get("Degraded"))
	require.Equal(t, "tips, ads", ask("/tips").Get("Degraded"))
	require.Equal(t, "ads", ask("/flush").Get("Degraded"))
	for _, path := range []string{"/503", "/500", "/panic"} {
		ask(path)
	}
	require.Equal(t, degrade.Counts{Offered: 6, Full: 1, Degraded: 2, Refused: 1, Failed: 2, By: map[string]uint64{"tips": 1, "ads": 3, "late": 1}}, m.Counts())
	require.Equal(t, "  grade     answers   share\n"+
		"  full            1  16.67%\n  degraded        2  33.33%\n    ads           3     50%\n    late          1  16.67%\n    tips          1  16.67%\n"+
		"  refused         1  16.67%\n  failed          2  33.33%\n", m.Counts().String())

	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(m))
	families, err := reg.Gather()
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(families), `value:"degraded"`)
	degrade.Mark(ctx, "nowhere") // does nothing
	require.Empty(t, degrade.Marks(ctx))
}

// TestSwitchAtItsBounds: the share itself is not below it, and the last result that is asked for decides.
func TestSwitchAtItsBounds(t *testing.T) {
	for bad, off := range map[int]bool{5: false, 6: true} {
		s, err := degrade.NewSwitch(degrade.SwitchConfig{MinResults: 10, OffBelow: 0.5})
		require.NoError(t, err, "without a clock it goes by the real one")
		for i := range 10 {
			require.True(t, s.Stats().On, "%d results are too few", i)
			s.Report(i < 10-bad)
		}
		require.Equal(t, !off, s.Stats().On, "%d of 10 are bad", bad)
	}
}

// TestMeterTakesTheFinalStatus: not one that only informs, and the first of several.
func TestMeterTakesTheFinalStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		statuses []int
		want     degrade.Counts
	}{
		"200":                 {[]int{200}, degrade.Counts{Offered: 1, Full: 1}},
		"101":                 {[]int{http.StatusSwitchingProtocols}, degrade.Counts{Offered: 1, Full: 1}},
		"103, then 500":       {[]int{103, 500}, degrade.Counts{Offered: 1, Failed: 1}},
		"100, then 503":       {[]int{100, 503}, degrade.Counts{Offered: 1, Refused: 1}},
		"200, then 500":       {[]int{200, 500}, degrade.Counts{Offered: 1, Full: 1}},
		"101, then 500":       {[]int{http.StatusSwitchingProtocols, 500}, degrade.Counts{Offered: 1, Full: 1}},
		"503, then an answer": {[]int{503, 200}, degrade.Counts{Offered: 1, Refused: 1}},
	} {
		m := degrade.NewMeter(degrade.MeterConfig{Name: "shop"})
		h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for _, status := range tt.statuses {
				w.WriteHeader(status)
			}
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		got := m.Counts()
		got.By = nil
		require.Equal(t, tt.want, got, name)
	}
}

func TestMeterIsBounded(t *testing.T) {
	m := degrade.NewMeter(degrade.MeterConfig{NoHeader: true})
	n := 0
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 50 {
			n++
			degrade.Mark(r.Context(), fmt.Sprint(n))
		}
		require.Len(t, degrade.Marks(r.Context()), 20)
	}))
	for range 20 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Empty(t, w.Header().Get("Degraded"))
	}
	require.Len(t, m.Counts().By, degrade.MaxNames+1)
	require.Equal(t, uint64(300), m.Counts().By["other"])
}

func TestBadConfigs(t *testing.T) {
	for want, cfg := range map[string]degrade.CacheConfig{
		"degrade: CacheConfig.Max: -1 is negative":            {Max: -1},
		"degrade: CacheConfig.Stale: 1s is below Fresh, 1m0s": {Stale: time.Second},
		"degrade: CacheConfig.Fresh: 1s contradicts NoFresh":  {Fresh: time.Second, NoFresh: true},
	} {
		_, err := degrade.NewCache[int, int](cfg)
		require.EqualError(t, err, want)
	}
	for want, cfg := range map[string]degrade.SwitchConfig{
		"degrade: SwitchConfig.OnAbove: 0.2 is below OffBelow, 0.5": {OnAbove: 0.2},
		"degrade: SwitchConfig.OffBelow: 2 is not between 0 and 1":  {OffBelow: 2, OnAbove: 1},
		"degrade: SwitchConfig.Hold: -1s is negative":               {Hold: -time.Second},
	} {
		_, err := degrade.NewSwitch(cfg)
		require.ErrorContains(t, err, want)
	}
}
