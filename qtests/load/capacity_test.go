package load

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
)

func TestCapacityFindsTheEdge(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		// Two places of 10 ms each serve exactly 200/s.
		a := Capacity(q, Search{Low: 10, High: 1000, Precision: 0.01}, func(rate float64) Scenario {
			return Scenario{Profile: Rate(rate).For(20 * time.Second), MaxInFlight: 2, Overflow: Queue, Do: serve(10 * time.Millisecond),
				Thresholds: []string{"p(99)<50ms"}}
		})
		require.True(q, a.Found)
		require.LessOrEqual(q, a.Level, 201.0)
		require.Greater(q, a.Next, 200.0)
		require.InDelta(q, 200, a.Level, 3)
		require.Contains(q, a.String(), "p(99)<50ms broken")
	})
	qtests.Run(t, func(q *qtests.T) {
		smallest := Capacity(q, Search{Low: 1, High: 64, Smallest: true, Whole: true}, func(size float64) Scenario {
			return Scenario{Profile: Rate(450).For(10 * time.Second), MaxInFlight: int(size), Overflow: Queue, Do: serve(10 * time.Millisecond),
				Thresholds: []string{"max<=12ms"}}
		})
		require.Equal(q, 5.0, smallest.Level)
		require.Equal(q, 4.0, smallest.Next)
		all := Capacity(q, Search{Low: 1, High: 2}, func(rate float64) Scenario {
			return Scenario{Profile: Rate(rate).For(10 * time.Second), Do: serve(0), Thresholds: []string{"errors<1%"}}
		})
		require.Zero(q, all.Next)
		require.Equal(q, 2.0, all.Level)
		none := Capacity(q, Search{Low: 1, High: 2}, func(rate float64) Scenario {
			return Scenario{Profile: Rate(rate).For(10 * time.Second), Do: serve(time.Second), Thresholds: []string{"p(50)<1ms"}}
		})
		require.False(q, none.Found)
	})
}

// queued is a server of one place, whose clients give up after a second but
// whose queue keeps what they asked for, and who ask again at once: the classic
// metastable system.
func queued(q *qtests.T, retries int) (Scenario, *atomic.Bool) {
	down := new(atomic.Bool)
	var mu sync.Mutex // the requests are goroutines
	free := q.Clock().Now()
	return Scenario{
		Profile: Rate(80).For(4 * time.Minute), Timeout: time.Second, Retry: Retry{Max: retries},
		Do: func(ctx context.Context, u *User) error {
			if down.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			mu.Lock()
			if now := q.Clock().Now(); free.Before(now) {
				free = now
			}
			free = free.Add(10 * time.Millisecond) // the work is done, wanted or not
			wait := q.Clock().Until(free)
			mu.Unlock()
			return u.Sleep(ctx, wait)
		},
	}, down
}

func TestRecoversTellsMetastability(t *testing.T) {
	run := func(retries int) (rs Recoveries) {
		qtests.Run(t, func(q *qtests.T) {
			rs = Recovers(q, Disturbances{Sizes: []float64{0.2, 30}}, func(seconds float64) (Scenario, qtests.Event) {
				s, down := queued(q, retries)
				return s, qtests.NewEvent("outage", func() { down.Store(true) }, func() { down.Store(false) }).
					At(time.Minute).For(time.Duration(seconds * float64(time.Second)))
			})
		})
		return rs
	}
	calm := run(0)
	require.True(t, calm[0].Recovered)
	require.True(t, calm[1].Recovered, "%s", calm)
	storm := run(5)
	require.True(t, storm[0].Recovered, "%s", storm)
	require.False(t, storm[1].Recovered, "%s", storm)
	recovered, not := storm.Limit()
	require.Equal(t, 0.2, recovered)
	require.Equal(t, 30.0, not)
}

func TestCompareSeesDifferencesBeyondTheNoise(t *testing.T) {
	run := func(seed uint64, factor float64, failing int64) (res *Result) {
		qtests.Run(t, func(q *qtests.T) {
			latency := qtests.LogNormal(10*time.Millisecond, 100*time.Millisecond)
			var err error
			res, err = Do(context.Background(), Scenario{
				Clock: q.Clock(), Seed: seed, Profile: Rate(100).For(100 * time.Second),
				Do: func(ctx context.Context, u *User) error {
					_ = u.Sleep(ctx, time.Duration(factor*float64(latency.Sample(u.Rand()))))
					if u.ID()%100 < failing {
						return errors.New("no")
					}
					return nil
				},
			})
			require.NoError(q, err)
		})
		return res
	}
	base := run(1, 1, 1)
	require.Empty(t, Compare(base, run(2, 1, 1)).Significant(), "another seed is noise")
	worse := Compare(base, run(3, 1.2, 5))
	var names []string
	for _, d := range worse.Regressions() {
		names = append(names, d.Metric)
	}
	require.Subset(t, names, []string{"p(50)", "avg", "errors"})
	require.Empty(t, Compare(run(3, 1.2, 5), base).Regressions())
	require.Contains(t, worse.String(), "✗  errors")
}

func TestHLogIsReadByOthers(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, mixed())
		var b bytes.Buffer
		require.NoError(q, res.WriteHLog(&b))
		in := hdrhistogram.NewHistogramLogReader(strings.NewReader(b.String()))
		whole, err := in.NextIntervalHistogram()
		require.NoError(q, err)
		require.Equal(q, res.Finished, whole.TotalCount())
		require.True(q, whole.ValuesAreEquivalent(res.Response.Percentile(99).Microseconds(), whole.ValueAtPercentile(99)))
		step, err := in.NextIntervalHistogram()
		require.NoError(q, err)
		require.Equal(q, "a", step.Tag())
		require.Equal(q, res.Steps[0].Finished, step.TotalCount())
	})
}
