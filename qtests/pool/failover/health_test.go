package failover

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/pool"
)

// The next check is the first instant of the grid after the end of the last one.
func TestChecksStayOnTheirGrid(t *testing.T) {
	for took, want := range map[time.Duration][]int{
		4 * time.Second:  {5, 10, 15, 20},
		5 * time.Second:  {5, 15, 20, 25}, // it ends with an instant of the grid, which is over
		12 * time.Second: {5, 20, 25, 30},
	} {
		qtests.Run(t, func(q *qtests.T) {
			var at []int
			_, _, _ = newPair(q, func(cfg *Config[*item]) {
				cfg.HealthTimeout = time.Hour
				cfg.Health = func(_ context.Context, b pool.Config[*item]) error {
					if b.Name != "primary" {
						return nil
					}
					at = append(at, int(q.Elapsed()/time.Second))
					if len(at) == 1 {
						q.Sleep(took)
					}
					return nil
				}
			})
			q.Sleep(32 * time.Second)
			require.Equal(q, want, at[:4], "the first took %v", took)
		})
	}
}

// Nobody calls, and the traffic moves back all the same, at its instant.
func TestTheWayBackNeedsNoCall(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		start := q.Clock().Now()
		_, primary, _ := newPair(q, func(cfg *Config[*item]) { cfg.HealthyFor = 32 * time.Second }) // between two checks
		primary.down = true
		q.Sleep(12 * time.Second)
		primary.down = false
		q.Sleep(time.Minute)
		marks, _ := q.EventLog().Marks()
		at := map[string]time.Duration{}
		for _, m := range marks {
			at[m.Text] = m.At.Sub(start).Round(time.Second)
		}
		require.Equal(q, 47*time.Second, at["replica → primary: healthy for 32s"])
	})
}

func TestReturnAt(t *testing.T) {
	up, down := backendHealth{healthy: true}, backendHealth{since: 1}
	since := func(at instant) backendHealth { return backendHealth{healthy: true, since: at} }
	for name, c := range map[string]struct {
		backends []backendHealth
		want     instant
	}{
		"all is well":            {[]backendHealth{up}, 0},
		"nobody is back":         {[]backendHealth{down, down, up}, 0},
		"one is back":            {[]backendHealth{since(5), up}, 15},
		"the earliest is first":  {[]backendHealth{since(5), since(7), up}, 15},
		"the earliest is second": {[]backendHealth{since(7), since(5), up}, 15},
		"it never was away":      {[]backendHealth{up, since(5), up}, 15},
		"not the active one's":   {[]backendHealth{down, since(5)}, 0},
	} {
		decider := core{healthyFor: 10, backends: c.backends, active: len(c.backends) - 1}
		require.Equal(t, c.want, decider.returnAt(), name)
	}
}

func TestStatsAndMetricsOfBackends(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, _ := newPair(q, nil)
		primary.down = true
		q.Sleep(25 * time.Second) // down since 10 s
		s := f.Stats()
		require.Equal(q, []string{"db", "replica"}, []string{s.Name, s.Active})
		p, r := s.Backends[0], s.Backends[1]
		require.Equal(q, Backend{Name: "primary", Since: 15 * time.Second, Reason: "health check: connection refused", Breaker: breaker.Closed, Pool: p.Pool}, p)
		require.Equal(q, Backend{Name: "replica", Healthy: true, Breaker: breaker.Closed, Pool: r.Pool}, r)
		require.Equal(q, "replica", r.Pool.Name)
		require.NoError(q, testutil.CollectAndCompare(f, strings.NewReader(`# HELP failover_active 1 for the backend that gets the traffic, else 0.
# TYPE failover_active gauge
failover_active{backend="primary",failover="db"} 0
failover_active{backend="replica",failover="db"} 1
`), "failover_active"))
	})
}

func TestDo(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, _, _ := newPair(q, nil)
		calls, boom := 0, errors.New("boom")
		do := func(err error) error {
			return f.Do(bg, func(context.Context, *item) error { calls++; return err })
		}
		require.NoError(q, do(nil))
		require.Equal(q, boom, do(boom))
		require.Zero(q, f.Stats().Backends[0].Pool.InUse)
		require.NoError(q, f.Close(bg))
		require.ErrorIs(q, do(nil), pool.ErrClosed)
		require.Equal(q, 2, calls)
	})
}

func TestAtMost64Backends(t *testing.T) {
	cfg := Config[*item]{Name: "db"}
	for range 64 {
		cfg.Backends = append(cfg.Backends, (&fakeBackend{}).config(""))
	}
	require.NoError(t, cfg.validate())
	cfg.Backends = append(cfg.Backends, (&fakeBackend{}).config(""))
	require.ErrorContains(t, cfg.validate(), "failover: Config.Backends: 65 backends: want 1 to 64")
}

// Health by default makes a resource, checks it and destroys it.
func TestMakeAndCheck(t *testing.T) {
	bad := errors.New("bad")
	for name, c := range map[string]struct {
		made      *item
		makes     error
		check     func(context.Context, *item) error
		want      error
		destroyed int
	}{
		"fails":        {makes: errRefused, want: errRefused},
		"makes none":   {want: pool.ErrNilResource},
		"no check":     {made: &item{}, destroyed: 1},
		"bad":          {made: &item{}, check: func(context.Context, *item) error { return bad }, want: bad, destroyed: 1},
		"good":         {made: &item{}, check: func(context.Context, *item) error { return nil }, destroyed: 1},
		"not even one": {makes: errRefused, check: func(context.Context, *item) error { return bad }, want: errRefused},
	} {
		destroyed := 0
		cfg := pool.Config[*item]{
			New:     func(context.Context) (*item, error) { return c.made, c.makes },
			Check:   c.check,
			Destroy: func(*item) { destroyed++ },
		}
		require.Equal(t, c.want, makeAndCheck(bg, cfg), name)
		require.Equal(t, c.destroyed, destroyed, name)
		cfg.Destroy = nil
		require.Equal(t, c.want, makeAndCheck(bg, cfg), name)
	}
}
