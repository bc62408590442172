package pool

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

func TestConstructorThatMisbehaves(t *testing.T) {
	for name, c := range map[string]struct {
		new   func(context.Context) (*item, error)
		check func(t require.TestingT, err error)
	}{
		"panics": {
			func(context.Context) (*item, error) { panic("oops") },
			func(t require.TestingT, err error) {
				var p *PanicError
				require.ErrorAs(t, err, &p)
				require.Equal(t, "oops", p.Value)
				require.Contains(t, string(p.Stack), "TestConstructorThatMisbehaves")
			},
		},
		"panics with an error": {
			func(context.Context) (*item, error) { panic(errRefused) },
			func(t require.TestingT, err error) { require.ErrorIs(t, err, errRefused) },
		},
		"exits": {
			func(context.Context) (*item, error) { runtime.Goexit(); return nil, nil },
			func(t require.TestingT, err error) { require.ErrorIs(t, err, ErrGoexit) },
		},
		"returns nil": {
			func(context.Context) (*item, error) { return nil, nil },
			func(t require.TestingT, err error) { require.ErrorIs(t, err, ErrNilResource) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				p := NewT(q, Config[*item]{New: c.new, Max: 1, NoBackoff: true})
				for range 3 { // it does not use up places
					_, err := p.Acquire(bg)
					c.check(q, err)
				}
				require.Equal(q, [3]int{}, stateOf(p))
			})
		})
	}
}

func TestConstructorThatHangs(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		unblock := make(chan struct{})
		var started atomic.Int32
		cfg.New = func(context.Context) (*item, error) {
			if started.Add(1) == 1 {
				<-unblock // it ignores its context
			}
			return f.new(bg)
		}
		cfg.Max, cfg.ConstructTimeout, cfg.NoBackoff = 2, 5*time.Second, true
		p := NewT(q, cfg)
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		var failed *ConstructError
		require.ErrorAs(q, err, &failed)
		require.Equal(q, 5*time.Second, q.Elapsed())
		require.EqualValues(q, 1, p.Stats().Errors)
		l := mustAcquire(q, p)
		require.Equal(q, [3]int{0, 1, 1}, stateOf(p), "it keeps its place")
		close(unblock)
		q.Wait()
		require.Equal(q, [3]int{1, 1, 0}, stateOf(p), "and what it returns is of use")
		l.Release()
	})
}

func TestErrorThatComesTooLateIsNobodys(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		var started atomic.Int32
		cfg.New = func(context.Context) (*item, error) {
			if started.Add(1) == 1 {
				q.Clock().Sleep(10 * time.Second)
				return nil, errRefused
			}
			return f.new(bg)
		}
		cfg.Max, cfg.ConstructTimeout, cfg.NoBackoff = 1, 5*time.Second, true
		p := NewT(q, cfg)
		_, err := p.Acquire(bg)
		require.ErrorIs(q, err, context.DeadlineExceeded)
		mustAcquire(q, p).Release()
		require.Equal(q, 10*time.Second, q.Elapsed())
		require.EqualValues(q, 1, p.Stats().ConstructErrors, "one attempt, one error")
	})
}

func TestCloseInsideCallbacks(t *testing.T) {
	for _, where := range []string{"New", "Check", "Destroy"} {
		t.Run(where, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f, cfg := newItems(q, 0)
				var p *Pool[*item]
				closed := 0
				closing := func(here string) {
					if here == where {
						closed++
						require.NoError(q, p.Close(bg))
					}
				}
				cfg.New = func(context.Context) (*item, error) { closing("New"); return f.new(bg) }
				cfg.Check = func(context.Context, *item) error { closing("Check"); return nil }
				cfg.Destroy = func(x *item) { closing("Destroy"); f.destroy(x) }
				cfg.CheckAfterIdle = time.Second
				p = NewT(q, cfg)
				l, err := p.Acquire(bg)
				if where == "New" {
					require.ErrorIs(q, err, ErrClosed)
				} else {
					require.NoError(q, err)
					l.Release()
					q.Sleep(time.Second)
					if l, err = p.Acquire(bg); err == nil {
						l.Discard(nil)
					}
				}
				require.NoError(q, p.Close(bg))
				require.Equal(q, 1, closed)
				require.Equal(q, f.made.Load(), f.destroyed.Load(), "nothing stays")
			})
		})
	}
}

func TestDestroyThatMisbehaves(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		unblock := make(chan struct{})
		cfg.Destroy = func(x *item) {
			switch x.id {
			case 1:
				panic("oops")
			case 2:
				runtime.Goexit()
			case 3:
				<-unblock
			}
		}
		var kinds []ReportKind
		cfg.OnReport = func(r Report) { kinds = append(kinds, r.Kind) }
		cfg.Max = 3
		p := NewT(q, cfg)
		for _, l := range acquireN(q, p, 3) {
			l.Discard(errors.New("x"))
		}
		q.Wait()
		require.Equal(q, []ReportKind{DestroyFailed, DestroyFailed}, kinds)
		require.EqualValues(q, 2, p.Stats().Panics)
		releaseAll(acquireN(q, p, 3)) // a Destroy that hangs holds nobody up
		close(unblock)
	})
}

func TestCheckThatPanics(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		cfg.CheckAfterIdle = time.Nanosecond
		cfg.Check = func(context.Context, *item) error { panic("oops") }
		p := NewT(q, cfg)
		mustAcquire(q, p).Release()
		q.Sleep(time.Second)
		mustAcquire(q, p).Release()
		q.Wait()
		require.EqualValues(q, 1, f.destroyed.Load())
	})
}

func TestDoThatExits(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		f, cfg := newItems(q, 0)
		p := NewT(q, cfg)
		q.Go(func() {
			_ = p.Do(bg, func(context.Context, *item) error { runtime.Goexit(); return nil })
		})
		q.Wait()
		require.Equal(q, [3]int{}, stateOf(p))
		require.EqualValues(q, 1, f.destroyed.Load())
	})
}

// A grant and the end of the caller's context at one moment: the caller gets the
// lease, whichever branch of the select runs.
func TestGrantWinsAgainstContext(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, cfg := newItems(q, 0)
		cfg.Max = 1
		p := NewT(q, cfg)
		for range 100 {
			l := mustAcquire(q, p)
			ctx, cancel := context.WithCancel(bg)
			var err error
			q.Go(func() {
				var next Lease[*item]
				if next, err = p.Acquire(ctx); err == nil {
					next.Release()
				}
			})
			q.Wait()
			l.Release()
			cancel()
			q.Wait()
			require.NoError(q, err)
		}
	})
}

func TestConfigErrors(t *testing.T) {
	ok := (&items{}).config()
	for want, change := range map[string]func(c *Config[*item]){
		"New: nil is required":                        func(c *Config[*item]) { c.New = nil },
		"Min: -1 is negative":                         func(c *Config[*item]) { c.Min = -1 },
		"Max: -1 is negative":                         func(c *Config[*item]) { c.Max = -1 },
		"Min: 3 is more than Max, 2":                  func(c *Config[*item]) { c.Min, c.Max = 3, 2 },
		"MaxWaiters: -1 is negative":                  func(c *Config[*item]) { c.MaxWaiters = -1 },
		"MaxWaiters: 1 contradicts NoQueue":           func(c *Config[*item]) { c.MaxWaiters, c.NoQueue = 1, true },
		"AcquireTimeout: -1ns is negative":            func(c *Config[*item]) { c.AcquireTimeout = -1 },
		"ConstructTimeout: -1ns is negative":          func(c *Config[*item]) { c.ConstructTimeout = -1 },
		"Backoff: -1ns is negative":                   func(c *Config[*item]) { c.Backoff = -1 },
		"MaxBackoff: -1ns is negative":                func(c *Config[*item]) { c.MaxBackoff = -1 },
		"MaxBackoff: 1ms is less than Backoff, 100ms": func(c *Config[*item]) { c.MaxBackoff = time.Millisecond },
		"Backoff: 1s contradicts NoBackoff":           func(c *Config[*item]) { c.Backoff, c.NoBackoff = time.Second, true },
		"MaxLifetime: -1ns is negative":               func(c *Config[*item]) { c.MaxLifetime = -1 },
		"LifetimeJitter: 1.5 is not between 0 and 1":  func(c *Config[*item]) { c.LifetimeJitter = 1.5 },
		"LifetimeJitter: NaN is not between 0 and 1":  func(c *Config[*item]) { c.LifetimeJitter = math.NaN() },
		"LifetimeJitter: 0.5 contradicts NoJitter":    func(c *Config[*item]) { c.LifetimeJitter, c.NoJitter = 0.5, true },
		"MaxIdleTime: -1ns is negative":               func(c *Config[*item]) { c.MaxIdleTime = -1 },
		"MaxUses: -1 is negative":                     func(c *Config[*item]) { c.MaxUses = -1 },
		"CheckInterval: 1s has no Check to run":       func(c *Config[*item]) { c.CheckInterval = time.Second },
		"CheckAfterIdle: 1s has no Check to run":      func(c *Config[*item]) { c.CheckAfterIdle = time.Second },
		"CheckTimeout: -1ns is negative":              func(c *Config[*item]) { c.CheckTimeout = -1 },
		"LeakThreshold: -1ns is negative":             func(c *Config[*item]) { c.LeakThreshold = -1 },
		"CheckInterval: -1ns is negative":             func(c *Config[*item]) { c.CheckInterval = -1 },
		"CheckAfterIdle: -1ns is negative":            func(c *Config[*item]) { c.CheckAfterIdle = -1 },
	} {
		cfg := ok
		change(&cfg)
		_, err := New(cfg)
		require.EqualError(t, err, "pool: Config."+want)
	}
	_, err := New(Config[*item]{New: ok.New, Min: 20})
	require.NoError(t, err, "the default of Max follows Min")
}

// A pool that was made outside a bubble, as one in a variable of a package is, works
// inside, where the year is 2000, and outside again.
func TestPoolFromOutsideABubble(t *testing.T) {
	p, err := New(Config[int]{New: func(context.Context) (int, error) { return 7, nil }, Max: 1, AcquireTimeout: time.Second})
	require.NoError(t, err)
	use := func() {
		l, err := p.Acquire(context.Background())
		require.NoError(t, err)
		require.Equal(t, 7, l.Value())
		_, err = p.Acquire(context.Background())
		require.ErrorIs(t, err, ErrAcquireTimeout)
		l.Release()
	}
	synctest.Test(t, func(*testing.T) { use() })
	qtests.Run(t, func(*qtests.T) { use() })
	require.NoError(t, p.Close(context.Background()))
}
