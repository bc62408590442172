package pool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A queue is a M/M/c station: Poisson arrivals, exponential service, c servers.
type queue struct {
	arrivals, service float64 // rates per second; service is the rate of one server
	servers           int
}

// erlangB is the probability that all servers are busy when nobody waits, by the
// recursion B(0) = 1, B(n) = aB(n-1)/(n + aB(n-1)) with the load a in erlangs.
func (m queue) erlangB() float64 {
	a, b := m.arrivals/m.service, 1.0
	for n := 1; n <= m.servers; n++ {
		b = a * b / (float64(n) + a*b)
	}
	return b
}

// erlangC is the probability that an arrival has to wait when all may wait.
func (m queue) erlangC() float64 {
	a, c, b := m.arrivals/m.service, float64(m.servers), m.erlangB()
	return c * b / (c - a*(1-b))
}

// meanWait is the mean wait of all arrivals, in seconds.
func (m queue) meanWait() float64 {
	return m.erlangC() / (float64(m.servers)*m.service - m.arrivals)
}

// run sends arrivals through a pool and returns what it counted after the
// first tenth, in which the queue forgets that it began empty.
func (m queue) run(q *qtests.T, p *Pool[*item], arrivals int, r *rand.Rand) (before, after Stats) {
	clk, next := q.Clock(), q.Clock().Now()
	var done sync.WaitGroup
	for i := range arrivals {
		if i == arrivals/10 {
			before = p.Stats()
		}
		next = next.Add(seconds(r.ExpFloat64() / m.arrivals))
		clk.Sleep(clk.Until(next))
		service := seconds(r.ExpFloat64() / m.service)
		done.Go(func() {
			if l, err := p.Acquire(bg); err == nil {
				clk.Sleep(service)
				l.Release()
			}
		})
	}
	done.Wait()
	return before, p.Stats()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// sample is a list of independent measurements of one quantity.
type sample []float64

func (s sample) meanAndError() (mean, stderr float64) {
	for _, x := range s {
		mean += x / float64(len(s))
	}
	for _, x := range s {
		stderr += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(stderr / float64(len(s)-1) / float64(len(s)))
}

// requireTheory wants the mean within three standard errors of the theory, and
// the standard error small enough for that to mean something.
func (s sample) requireTheory(q *qtests.T, what string, theory float64) {
	mean, stderr := s.meanAndError()
	q.Logf("%s: theory %.4f, measured %.4f ± %.4f over %d seeds", what, theory, mean, stderr, len(s))
	require.Less(q, stderr, 0.15*theory)
	require.InDelta(q, theory, mean, 3*stderr)
}

var queues = []queue{
	{arrivals: 0.5, service: 1, servers: 1},
	{arrivals: 1.4, service: 1, servers: 2},
	{arrivals: 6, service: 2, servers: 4},
	{arrivals: 7.5, service: 1, servers: 10},
}

// theory runs f with a pool whose resources are all made. The seeds are its own
// and not of the run: three standard errors are exceeded now and then by
// chance alone, and no change of the pool would be to blame.
func theory(t *testing.T, noQueue bool, f func(q *qtests.T, m queue, seeds int, run func(seed uint64) (before, after Stats))) {
	for _, m := range queues {
		t.Run(fmt.Sprintf("%+v", m), func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				f(q, m, 20, func(seed uint64) (before, after Stats) {
					_, cfg := newItems(q, 0)
					cfg.Min, cfg.Max, cfg.NoQueue = m.servers, m.servers, noQueue
					p, err := New(withClock(cfg, q))
					require.NoError(q, err)
					q.Wait()
					before, after = m.run(q, p, 2500*stress.Factor(t), tb.NewStream(seed, fmt.Sprintf("theory %+v", m)).Rand())
					require.NoError(q, p.Close(bg))
					return before, after
				})
			})
		})
	}
}

func withClock(cfg Config[*item], q *qtests.T) Config[*item] {
	cfg.Clock = q.Clock()
	return cfg
}

func TestWaitsAgreeWithErlangC(t *testing.T) {
	theory(t, false, func(q *qtests.T, m queue, seeds int, run func(uint64) (before, after Stats)) {
		var share, wait sample
		for seed := range seeds {
			before, after := run(uint64(seed))
			n := float64(after.Acquired - before.Acquired)
			share = append(share, float64(after.Waited-before.Waited)/n)
			wait = append(wait, (after.WaitTime-before.WaitTime).Seconds()/n)
		}
		share.requireTheory(q, "share that waits", m.erlangC())
		wait.requireTheory(q, "mean wait in seconds", m.meanWait())
	})
}

func TestShedShareAgreesWithErlangB(t *testing.T) {
	theory(t, true, func(q *qtests.T, m queue, seeds int, run func(uint64) (before, after Stats)) {
		var shed sample
		for seed := range seeds {
			before, after := run(uint64(seed))
			lost := float64(after.Shed - before.Shed)
			shed = append(shed, lost/(lost+float64(after.Acquired-before.Acquired)))
			require.Zero(q, after.Waited)
		}
		shed.requireTheory(q, "share that is shed", m.erlangB())
	})
}
