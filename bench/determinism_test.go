package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool"
)

const distinct = "distinct results"

func determinism() compare.Group {
	g := compare.Group{
		Name: "determinism",
		About: `How many different results a scenario has in 1,000 runs: 50 users in step share a pool of five, with timeouts and an outage
on the same milliseconds. Both run the same code, one on the clock of ` + "`qtests.Run`" + ` and one in a plain bubble of
` + "`testing/synctest`" + `.`,
	}
	for _, procs := range []int{1, 2, 8} {
		g.Comparisons = append(g.Comparisons, compare.Comparison{
			Name:   "GOMAXPROCS " + strconv.Itoa(procs),
			Rounds: 1,
			Contestants: []compare.Contestant{
				compare.Ours(outcomes(procs, func(t *testing.T, note func(string)) {
					qtests.Run(t, func(q *qtests.T) { note(contended(q.Clock())) })
				})),
				compare.Peer("raw bubble", outcomes(procs, func(t *testing.T, note func(string)) {
					synctest.Test(t, func(*testing.T) { note(contended(clock.New())) })
				})),
			},
			Figures: []compare.Figure{{Name: distinct, Targets: []compare.Target{compare.Bound(1)}}},
		})
	}
	return g
}

// outcomes counts the results of a scenario that is run again and again.
func outcomes(procs int, once func(t *testing.T, note func(result string))) compare.Work {
	return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			seen := map[string]bool{}
			err := inTest(func(t *testing.T) {
				for range size.Pick(5, 1000) {
					once(t, func(result string) { seen[result] = true })
				}
			})
			return compare.Readings{distinct: float64(len(seen))}, err
		}
	})
}

// contended is a scenario in which nearly everything ties. It returns a digest of
// what happened, in order.
func contended(clk clock.Clock) string {
	p, err := pool.New(pool.Config[*conn]{
		New: func(context.Context) (*conn, error) { return new(conn), nil }, Max: 5, Clock: clk, AcquireTimeout: 70 * time.Millisecond,
	})
	if err != nil {
		return err.Error()
	}
	s := &shared{clk: clk, begin: clk.Now(), pool: p, log: sha256.New()}
	var all sync.WaitGroup
	for id := range 50 {
		all.Add(1)
		clk.AfterFunc(10*time.Millisecond, func() {
			defer all.Done()
			s.user(id)
		})
	}
	clk.AfterFunc(100*time.Millisecond, func() { s.outage(true) })
	clk.AfterFunc(200*time.Millisecond, func() { s.outage(false) })
	all.Wait()
	if err := p.Close(context.Background()); err != nil {
		s.note("close: %v", err)
	}
	return fmt.Sprintf("%x", s.log.Sum(nil))
}

type shared struct {
	clk   clock.Clock
	begin time.Time
	pool  *pool.Pool[*conn]
	mu    sync.Mutex
	down  bool
	log   hash.Hash
}

func (s *shared) user(id int) {
	for turn := range 5 {
		l, err := s.pool.Acquire(context.Background())
		if errors.Is(err, pool.ErrAcquireTimeout) {
			s.note("user %d turn %d timed out", id, turn)
		} else if err != nil {
			s.note("user %d turn %d: %v", id, turn, err)
		} else {
			s.clk.Sleep(10 * time.Millisecond)
			s.note("user %d turn %d served", id, turn)
			l.Release()
		}
		s.clk.Sleep(10 * time.Millisecond)
	}
}

func (s *shared) outage(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	s.note("outage %v", down)
}

// note takes down what happens, in the order in which it happens.
func (s *shared) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.log, "%v down %v ", s.clk.Now().Sub(s.begin), s.down)
	fmt.Fprintf(s.log, format+"\n", args...)
}
