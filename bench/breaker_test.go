package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests/breaker"
)

func breakers() compare.Group {
	window := gobreaker.Settings{Interval: 10 * time.Second, BucketPeriod: time.Second}
	rows := []struct {
		name   string
		trio   breakerTrio
		target float64
		why    string
	}{
		{"closed, consecutive", breakerTrio{failsafe: consecutive}, 0.3, whyAtomic},
		{"closed, window of time", breakerTrio{
			ours: breaker.Config{FailureRate: 0.5, Window: 10 * time.Second}, gobreaker: window, failsafe: ofTime,
		}, 0.8, whyWindow},
		{"open", breakerTrio{
			ours: breaker.Config{ResetTimeout: time.Hour}, gobreaker: gobreaker.Settings{Timeout: time.Hour}, failsafe: consecutive, open: true,
		}, 1, whyOpen},
	}
	g := compare.Group{
		Name: "breaker",
		About: `One operation is one call of a function that returns at once, through a circuit breaker, from one goroutine. In the
row *on all cores at once* a goroutine a processor does so, and the time is the processors' for a call, which shows how they hinder each other, and nothing of other work. In the
last row a call is admitted (` + "`Allow`" + `) and finished in two steps. The floors are what a breaker pays that keeps its
state behind a mutex: a lock to admit and one to count, and a reading of the clock where the length of a call or its place in a
window matters. Ours is below them where it takes less: while it is closed, a call is admitted by one atomic operation, and
where there is no window a success is counted by another.`,
	}
	for _, row := range rows {
		c := compare.Comparison{
			Name: row.name,
			Contestants: []compare.Contestant{
				compare.Ours(compare.Timed(row.trio.callOurs)),
				compare.Peer("gobreaker", compare.Timed(row.trio.callGobreaker)),
				compare.Peer("failsafe-go", compare.Timed(row.trio.callFailsafe)),
			},
			Figures: []compare.Figure{compare.TimeOf(compare.Times(row.target, "gobreaker")), compare.AllocationsOf(compare.Bound(0))},
			Why:     row.why,
		}
		if !row.trio.open {
			c.Contestants = append(c.Contestants, lockFloors()...)
		}
		g.Comparisons = append(g.Comparisons, c)
	}
	g.Comparisons = append(g.Comparisons, onAllCores(), twoSteps())
	return g
}

const cpuPerCall = "processor time"

// onAllCores is calls through one breaker from as many goroutines as processors run at once.
func onAllCores() compare.Comparison {
	trio := breakerTrio{failsafe: consecutive}
	cores := runtime.GOMAXPROCS(0)
	return compare.Comparison{
		Name: "closed, consecutive, on all cores at once",
		Contestants: []compare.Contestant{
			compare.Ours(onCores(cores, trio.callOurs)),
			compare.Peer("gobreaker", onCores(cores, trio.callGobreaker)),
			compare.Peer("failsafe-go", onCores(cores, trio.callFailsafe)),
			compare.Floor("ours on one core", onCores(1, trio.callOurs)),
		},
		Figures: []compare.Figure{{
			Name: cpuPerCall, Unit: compare.Nanoseconds,
			Targets: []compare.Target{compare.Times(0.3, "gobreaker"), compare.Times(1, "ours on one core")},
		}},
		Why: whyAtomic + " A goroutine has a part of the breaker's word to itself, and finds it by where its stack lies.",
	}
}

// onCores is calls from so many goroutines at once. Their processor time is the same
// whether another process takes a core away meanwhile or not.
func onCores(cores int, start func(testing.TB) func(int) error) compare.Work {
	return compare.Measured(func(t testing.TB) func(compare.Size) (compare.Readings, error) {
		call := start(t)
		return func(size compare.Size) (compare.Readings, error) {
			before, ok := compare.ProcessorTime()
			if !ok {
				return nil, errors.New("this system does not say what a process has used")
			}
			n, errs := size.Pick(100_000, 2_000_000)/cores, make([]error, cores)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { errs[i] = call(n) })
			}
			all.Wait()
			after, _ := compare.ProcessorTime()
			return compare.Readings{cpuPerCall: float64(after-before) / float64(n*cores)}, errors.Join(errs...)
		}
	})
}

const (
	whyAtomic = "Ours admits a call by one atomic operation and counts its success by another."
	whyWindow = "A result is counted under the lock, because its place in the window and what falls out of the window have to be found " +
		"with it. Where there is a limit for slow calls, the clock is read at both ends of the call."
	whyOpen = "Ours has to look at the clock, because nobody else ends the time for which it is open, and returns an error that says " +
		"which breaker it was and when to come again; gobreaker looks at the clock, too, and returns a constant."
)

// A breakerTrio is breakers of one kind: ours and two others.
type breakerTrio struct {
	ours      breaker.Config
	gobreaker gobreaker.Settings
	failsafe  func(circuitbreaker.Builder[int]) circuitbreaker.Builder[int]
	open      bool
}

func consecutive(b circuitbreaker.Builder[int]) circuitbreaker.Builder[int] {
	return b.WithFailureThreshold(5)
}

func ofTime(b circuitbreaker.Builder[int]) circuitbreaker.Builder[int] {
	return b.WithFailureRateThreshold(0.5, 10, 10*time.Second)
}

func (trio breakerTrio) callOurs(t testing.TB) func(n int) error {
	br, err := breaker.New(trio.ours)
	if err != nil {
		t.Fatal(err)
	}
	if trio.open {
		br.Trip()
	}
	ctx, f := context.Background(), func(context.Context) (int, error) { return 1, nil }
	return func(n int) error {
		for range n {
			if _, err := breaker.Call(ctx, br, f); (err != nil) != trio.open {
				return trio.unexpected(err)
			}
		}
		return nil
	}
}

func (trio breakerTrio) callGobreaker(testing.TB) func(n int) error {
	cb := gobreaker.NewCircuitBreaker[int](trio.gobreaker)
	for trio.open && cb.State() != gobreaker.StateOpen {
		_, _ = cb.Execute(func() (int, error) { return 0, errUpstream }) // this error is the point
	}
	f := func() (int, error) { return 1, nil }
	return func(n int) error {
		for range n {
			if _, err := cb.Execute(f); (err != nil) != trio.open {
				return trio.unexpected(err)
			}
		}
		return nil
	}
}

func (trio breakerTrio) callFailsafe(testing.TB) func(n int) error {
	cb := trio.failsafe(circuitbreaker.NewBuilder[int]().WithDelay(time.Hour)).Build()
	if trio.open {
		cb.Open()
	}
	f, executor := func() (int, error) { return 1, nil }, failsafe.With(cb)
	return func(n int) error {
		for range n {
			if _, err := executor.Get(f); (err != nil) != trio.open {
				return trio.unexpected(err)
			}
		}
		return nil
	}
}

func (trio breakerTrio) unexpected(err error) error {
	return fmt.Errorf("a call through a breaker (open: %v) returned the error %w", trio.open, err)
}

var errUpstream = errors.New("upstream: down")

// twoSteps is a call that is admitted and finished by its caller.
func twoSteps() compare.Comparison {
	return compare.Comparison{
		Name: "closed, consecutive, Allow",
		Contestants: append([]compare.Contestant{
			compare.Ours(compare.Timed(func(t testing.TB) func(n int) error {
				br, err := breaker.New(breaker.Config{})
				if err != nil {
					t.Fatal(err)
				}
				return func(n int) error {
					for range n {
						permit, err := br.Allow()
						if err != nil {
							return err
						}
						permit.Done(nil)
					}
					return nil
				}
			})),
			compare.Peer("gobreaker", compare.Timed(func(testing.TB) func(n int) error {
				cb := gobreaker.NewTwoStepCircuitBreaker[int](gobreaker.Settings{})
				return func(n int) error {
					for range n {
						done, err := cb.Allow()
						if err != nil {
							return err
						}
						done(nil)
					}
					return nil
				}
			})),
			compare.Peer("failsafe-go", compare.Timed(func(testing.TB) func(n int) error {
				cb := consecutive(circuitbreaker.NewBuilder[int]()).Build()
				return func(n int) error {
					for range n {
						if !cb.TryAcquirePermit() {
							return circuitbreaker.ErrOpen
						}
						cb.RecordSuccess()
					}
					return nil
				}
			})),
		}, lockFloors()...),
		Figures: []compare.Figure{compare.TimeOf(compare.Times(0.5, "gobreaker"), compare.Times(1, "failsafe-go")), compare.AllocationsOf(compare.Bound(0))},
		Why: "failsafe-go's two steps do not belong together: a permit is a count, and a result is counted, no matter who reports it. " +
			"Ours gives every permit the generation of the breaker's state and an end of its own, so that a result which comes too " +
			"late or twice is found out.",
	}
}

// lockFloors are the least that a breaker costs which keeps its state behind a
// mutex.
func lockFloors() []compare.Contestant {
	return []compare.Contestant{
		compare.Floor("two locks", compare.Timed(func(testing.TB) func(n int) error { return twoLocks })),
		compare.Floor("two locks and a clock", compare.Timed(func(testing.TB) func(n int) error { return twoLocksAndClock })),
	}
}

// guarded keeps the critical sections below from being empty.
var guarded struct {
	sync.Mutex
	n  int
	at time.Time
}

func twoLocks(n int) error {
	for range 2 * n {
		guarded.Lock()
		guarded.n++
		guarded.Unlock()
	}
	return nil
}

func twoLocksAndClock(n int) error {
	for range n {
		guarded.Lock()
		guarded.at = time.Now()
		guarded.Unlock()
		guarded.Lock()
		guarded.n++
		guarded.Unlock()
	}
	return nil
}
