package failover

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/pool"
)

// item is the resource of the tests.
type item struct{}

var bg = context.Background()

// fakeBackend can be taken down: then New and the leases' work fail.
type fakeBackend struct{ down bool }

var errRefused = errors.New("connection refused")

func (b *fakeBackend) config(name string) pool.Config[*item] {
	return pool.Config[*item]{Name: name, NoBackoff: true, New: func(context.Context) (*item, error) {
		if b.down {
			return nil, errRefused
		}
		return &item{}, nil
	}}
}

func newPair(q *qtests.T, change func(*Config[*item])) (f *Failover[*item], primary, replica *fakeBackend) {
	primary, replica = &fakeBackend{}, &fakeBackend{}
	cfg := Config[*item]{
		Name:     "db",
		Backends: []pool.Config[*item]{primary.config("primary"), replica.config("replica")},
		Breaker:  breaker.Config{FailureThreshold: 3, ResetTimeout: 10 * time.Second},
	}
	if change != nil {
		change(&cfg)
	}
	return NewT(q, cfg), primary, replica
}

// moves returns the marks of the failover.
func moves(q *qtests.T) (out []string) {
	marks, _ := q.EventLog().Marks()
	for _, m := range marks {
		if m.Source == "failover db" {
			out = append(out, m.Text)
		}
	}
	return out
}

func servedBy(q *qtests.T, f *Failover[*item]) string {
	l, err := f.Acquire(bg)
	require.NoError(q, err)
	defer l.Release()
	return l.Pool()
}

func TestByHealthChecks(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, _ := newPair(q, nil)
		require.Equal(q, "primary", servedBy(q, f))
		primary.down = true // what is idle in its pool goes on working
		q.Sleep(9 * time.Second)
		require.Equal(q, "primary", f.Active(), "one failed check is not enough")
		q.Sleep(time.Second)
		require.Equal(q, "replica", servedBy(q, f))

		primary.down = false
		q.Sleep(34 * time.Second) // healthy from the check at 15 s on
		require.Equal(q, "replica", f.Active())
		q.Sleep(time.Second)
		require.Equal(q, "primary", f.Active())
		require.Equal(q, []string{
			"primary → replica: health check: connection refused",
			"replica → primary: healthy for 30s",
		}, moves(q))
		require.EqualValues(q, 2, f.Stats().Moves)
	})
}

func TestRelapseStartsOver(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, _ := newPair(q, nil)
		primary.down = true
		q.Sleep(10 * time.Second)
		primary.down = false
		q.Sleep(20 * time.Second)
		primary.down = true
		q.Sleep(10 * time.Second)
		primary.down = false
		q.Sleep(34 * time.Second) // good from 45 s on: due at 75 s
		require.Equal(q, "replica", f.Active())
		q.Sleep(time.Second)
		require.Equal(q, "primary", f.Active())
		require.Len(q, moves(q), 2)
	})
}

func TestByBreaker(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, _ := newPair(q, nil)
		primary.down = true
		for range 2 {
			require.Equal(q, "replica", servedBy(q, f), "a caller is served at once")
			require.Equal(q, "primary", f.Active(), "and the traffic stays")
		}
		require.Equal(q, "replica", servedBy(q, f))
		require.Equal(q, "replica", f.Active(), "until the breaker opens")
		require.Equal(q, []string{"primary → replica: breaker open"}, moves(q))
		require.Equal(q, breaker.Open, f.Stats().Backends[0].Breaker)
		require.False(q, f.Stats().Backends[0].Healthy)
		require.Zero(q, q.Elapsed())
	})
}

func TestDiscardedLeasesOpenTheBreaker(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, _, _ := newPair(q, nil)
		for range 3 {
			l, err := f.Acquire(bg)
			require.NoError(q, err)
			require.Equal(q, "primary", l.Pool())
			l.Discard(errors.New("broken pipe"))
		}
		require.Equal(q, "replica", servedBy(q, f))
	})
}

func TestBackendsCallOneHookAtATime(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var names []string
		inside, most := 0, 0
		f, _, _ := newPair(q, func(c *Config[*item]) {
			c.Breaker.OnTransition = func(change breaker.Transition) {
				inside++
				most = max(most, inside)
				names = append(names, change.Breaker)
				q.Sleep(time.Second)
				inside--
			}
		})
		for _, b := range f.breakers {
			q.Go(func() { b.SetMode(breaker.ForcedOpen) })
		}
		q.Sleep(time.Minute)
		require.Equal(q, 1, most)
		require.Equal(q, []string{"primary", "replica"}, names)
	})
}

func TestWithoutHealthyBackend(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, primary, replica := newPair(q, nil)
		replica.down = true
		q.Sleep(10 * time.Second)
		primary.down = true
		_, err := f.Acquire(bg)
		require.ErrorIs(q, err, errRefused)
		q.Sleep(time.Minute)
		require.Equal(q, "primary", f.Active(), "nowhere to go")
		replica.down = false
		q.Sleep(5 * time.Second)
		require.Equal(q, "replica", servedBy(q, f), "the first healthy one need not wait")
	})
}

func TestHealthThatMisbehaves(t *testing.T) {
	for name, health := range map[string]func(ctx context.Context, unblock <-chan struct{}) error{
		"panics": func(context.Context, <-chan struct{}) error { panic("oops") },
		"blocks": func(_ context.Context, unblock <-chan struct{}) error { <-unblock; return nil },
		"heeds":  func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				unblock := make(chan struct{})
				f, _, _ := newPair(q, func(cfg *Config[*item]) {
					cfg.UnhealthyAfter, cfg.HealthTimeout = 1, time.Second
					cfg.Health = func(ctx context.Context, b pool.Config[*item]) error {
						if b.Name == "primary" {
							return health(ctx, unblock)
						}
						return nil
					}
				})
				q.Sleep(7 * time.Second)
				require.Equal(q, "replica", f.Active())
				close(unblock)
			})
		})
	}
}

func TestCloseReportsWhatIsOut(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		unblock := make(chan struct{})
		f, _, _ := newPair(q, func(cfg *Config[*item]) {
			cfg.Health = func(context.Context, pool.Config[*item]) error { <-unblock; return nil }
		})
		l, err := f.Acquire(bg)
		require.NoError(q, err)
		q.Sleep(5 * time.Second)
		ctx, cancel := q.Clock().WithTimeout(bg, time.Second)
		defer cancel()
		err = f.Close(ctx)
		var out *pool.CloseError
		require.ErrorAs(q, err, &out)
		require.Equal(q, "primary", out.Pool)
		require.ErrorContains(q, err, "a health check has not returned")
		close(unblock)
		l.Release()
		require.NoError(q, f.Close(bg))
		_, err = f.Acquire(bg)
		require.ErrorIs(q, err, pool.ErrClosed)
	})
}

func TestMetrics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, _, _ := newPair(q, nil)
		problems, err := testutil.CollectAndLint(f)
		require.NoError(q, err)
		require.Empty(q, problems)
		require.Equal(q, 2+2*(3+1+1+6+1)+testutil.CollectAndCount(f.shown[0])*2, testutil.CollectAndCount(f))
	})
}

func TestConfigErrors(t *testing.T) {
	ok := (&fakeBackend{}).config("a")
	for _, c := range []struct {
		cfg  Config[*item]
		want string
	}{
		{Config[*item]{}, "failover: Config.Backends: 0 backends: want 1 to 64"},
		{Config[*item]{Backends: []pool.Config[*item]{ok, ok}}, "failover: Config.Backends[1].Name: a is taken"},
		{Config[*item]{Backends: []pool.Config[*item]{{}}}, "failover: Config.Backends[0]: pool: Config.New: nil is required"},
		{Config[*item]{Backends: []pool.Config[*item]{ok}, HealthyFor: -1}, "failover: Config.HealthyFor: -1ns is negative"},
		{Config[*item]{Backends: []pool.Config[*item]{ok}, Breaker: breaker.Config{Jitter: -1}}, "Jitter: -1"},
	} {
		_, err := New(c.cfg)
		require.ErrorContains(t, err, c.want)
	}
}

func TestChoice(t *testing.T) {
	up, down := backendHealth{healthy: true}, backendHealth{reason: "down", since: 1}
	since := func(at instant) backendHealth { return backendHealth{healthy: true, since: at} }
	for name, c := range map[string]struct {
		active   int
		backends []backendHealth
		open     openSet
		want     int
	}{
		"all is well":                      {0, []backendHealth{up, up}, 0, 0},
		"the first healthy one":            {0, []backendHealth{down, down, up, up}, 0, 2},
		"not one with an open breaker":     {0, []backendHealth{down, up, up}, 0b010, 2},
		"nowhere to go":                    {0, []backendHealth{down, down}, 0, 0},
		"nowhere but to an open breaker":   {0, []backendHealth{down, up}, 0b10, 0},
		"not back before its time":         {1, []backendHealth{since(91), up}, 0, 1},
		"back in time":                     {1, []backendHealth{since(90), up}, 0, 0},
		"not back to an open breaker":      {1, []backendHealth{since(90), up}, 0b01, 1},
		"back to the second choice":        {2, []backendHealth{since(91), since(90), up}, 0, 1},
		"an emergency does not wait":       {1, []backendHealth{since(99), down}, 0, 0},
		"never to a less preferred one":    {0, []backendHealth{up, up}, 0b01, 0},
		"never to one that is not healthy": {2, []backendHealth{down, down, up}, 0, 2},
	} {
		decider := core{healthyFor: 10, backends: c.backends, active: c.active}
		m, moved := decider.choose(100, c.open.has)
		require.Equal(t, c.want, decider.active, name)
		require.Equal(t, c.want != c.active, moved, name)
		if moved {
			require.Equal(t, [2]int{c.active, c.want}, [2]int{m.from, m.to}, name)
		}
	}
}

func TestCloseInsideHealthDoesNotWaitForItself(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var f *Failover[*item]
		closed := 0
		f, _, _ = newPair(q, func(cfg *Config[*item]) {
			cfg.Health = func(context.Context, pool.Config[*item]) error {
				closed++
				return f.Close(bg)
			}
		})
		q.Sleep(5 * time.Second)
		require.Equal(q, 1, closed, "the first one stops the other one")
		require.NoError(q, f.Close(bg))
		require.Equal(q, 5*time.Second, q.Elapsed())
	})
}
