package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/pool"
)

// procs are how many processors the scenario is run on.
var procs = []int{1, 2, 8}

const distinctOverall = "distinct results, all of them together"

func distinctOn(procs int) string { return "distinct results, GOMAXPROCS " + strconv.Itoa(procs) }

func determinism() compare.Group {
	c := compare.Comparison{
		Name:        "contended pool",
		Rounds:      1,
		Contestants: []compare.Contestant{compare.Ours(outcomes(onOurClock)), compare.Peer("raw bubble", outcomes(inRawBubble))},
	}
	c.Why = "A second result means that two events of ours shared an instant, and so took the order that the runtime happened to choose."
	one := []compare.Target{compare.Bound(1)}
	for _, p := range procs {
		c.Figures = append(c.Figures, compare.Figure{Name: distinctOn(p), Targets: one})
	}
	c.Figures = append(c.Figures, compare.Figure{Name: distinctOverall, Targets: one})
	return compare.Group{
		Name: "determinism",
		About: `How many different results a scenario has in 1,000 runs on so many processors: 50 users in step share a pool of five, with
timeouts and an outage on the same milliseconds. A result is the log of all events in their order, with the instant of each; and
the events tie by construction, so that their order is what nothing but the clock decides. Both run the same code, one on the clock of ` + "`qtests.Run`" + ` and
one in a plain bubble of ` + "`testing/synctest`" + `.`,
		Comparisons: []compare.Comparison{c},
	}
}

// A runner runs the scenario and notes its result.
type runner func(t *testing.T, note func(result string))

func onOurClock(t *testing.T, note func(string)) {
	qtests.Run(t, func(q *qtests.T) { note(contended(q.Clock())) })
}

func inRawBubble(t *testing.T, note func(string)) {
	synctest.Test(t, func(*testing.T) { note(contended(clock.New())) })
}

// outcomes counts the results of a scenario that is run again and again.
func outcomes(once runner) compare.Work {
	return compare.Measured(func(testing.TB) func(compare.Size) (compare.Readings, error) {
		return func(size compare.Size) (compare.Readings, error) { return countResults(once, size.Pick(5, 1000)) }
	})
}

func countResults(once runner, runs int) (compare.Readings, error) {
	readings, all := compare.Readings{}, map[string]bool{}
	for _, p := range procs {
		seen, err := resultsOn(p, once, runs)
		if err != nil {
			return nil, err
		}
		readings[distinctOn(p)] = float64(len(seen))
		maps.Copy(all, seen)
	}
	readings[distinctOverall] = float64(len(all))
	return readings, nil
}

func resultsOn(procs int, once runner, runs int) (seen map[string]bool, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	seen = map[string]bool{}
	noted := 0
	err = inTest(func(t *testing.T) {
		for range runs {
			once(t, func(result string) { noted++; seen[result] = true })
		}
	})
	if err == nil && noted != runs {
		err = fmt.Errorf("%d runs have %d results", runs, noted)
	}
	return seen, err
}

// TestDeterminism is about the scenario: it tells a run on our clock from one on
// package time. That all of these runs would take the same order of 50 users by chance is
// out of the question.
func TestDeterminism(t *testing.T) {
	const runs = 20
	ours, err := countResults(onOurClock, runs)
	require.NoError(t, err)
	raw, err := countResults(inRawBubble, runs)
	require.NoError(t, err)
	for figure := range ours {
		require.Equal(t, 1.0, ours[figure], figure)
		require.Greater(t, raw[figure], 1.0, figure)
	}
}

// TestCountResults counts what is the same on some numbers of processors only.
func TestCountResults(t *testing.T) {
	n := 0
	got, err := countResults(func(_ *testing.T, note func(string)) {
		n++
		note(fmt.Sprint(runtime.GOMAXPROCS(0) == 1, n%2))
	}, 4)
	require.NoError(t, err)
	require.Equal(t, compare.Readings{distinctOn(1): 2, distinctOn(2): 2, distinctOn(8): 2, distinctOverall: 4}, got)
	_, err = countResults(func(*testing.T, func(string)) {}, 4)
	require.Error(t, err, "a run without a result")
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
