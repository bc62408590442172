package load

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/load/internal/record"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/tb"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// withAttributes is a test that has attributes.
type withAttributes struct {
	*tbtest.TB
	all map[string]string
}

func (a withAttributes) Attr(key, value string) { a.all[key] = value }

func TestAttributes(t *testing.T) {
	all := map[string]string{}
	qtests.Run(t, func(q *qtests.T) {
		rec := tbtest.Run("attributes", func(tb *tbtest.TB) {
			Run(withAttributes{tb, all}, Scenario{Name: "four days\t(x)", Clock: q.Clock(), Traffic: traffic.Rate(10).For(10 * time.Second), Do: func(ctx context.Context, u *User) error {
				if u.ID() > 98 {
					return u.Sleep(ctx, time.Second)
				}
				return u.Sleep(ctx, time.Millisecond)
			}})
		})
		require.False(q, rec.Failed())
		Run(q, Scenario{Name: "a name with spaces", Traffic: traffic.Rate(1).For(time.Second), Do: serve(0)}) // q refuses what the testing package does
	})
	require.Equal(t, map[string]string{"load.four-days-(x).requests": "100", "load.four-days-(x).p99": "1s", "load.four-days-(x).errors": "0%"}, all)
}

func TestRepeatNamesThePackageAndTheTestsSeed(t *testing.T) {
	here := ordered.TestCommand() + " github.com/go-qtests/qtests/qtests/load -run "
	s := Scenario{Seed: 7, Traffic: traffic.Rate(1).For(5 * time.Second), Do: serve(0), Thresholds: []string{"count<1"}}
	qtests.Run(t, func(q *qtests.T) {
		res := Run(q, Scenario{Seed: 7, Traffic: s.Traffic, Do: s.Do})
		require.EqualValues(q, 7, res.Seed)
		require.True(q, strings.HasPrefix(res.Repeat, fmt.Sprintf(here+"'^%s$' -qtests.seed=%d", t.Name(), q.Seed())), res.Repeat)
		q.Go(func() {
			require.Equal(q, res.Repeat, Run(q, Scenario{Name: "later", Traffic: s.Traffic, Do: s.Do}).Repeat)
		})
		q.Sleep(time.Minute)
	})
	rec := in(t, func(q *qtests.T, tb tb.TB) {
		s.Clock = q.Clock()
		var wg sync.WaitGroup
		wg.Go(func() { Run(tb, s) }) // in a goroutine of its own, and of a test that is not q
		wg.Wait()
	})
	require.Contains(t, rec.Errors(), fmt.Sprintf("scenario load, seed 7, scale 1; repeat with: "+here+"'^inner$' -qtests.seed=%d", tb.SeedOf(t)))
}

// A machine that is too slow shows in everything that a result becomes.
func TestWarningIsSaidWhereverTheRunIs(t *testing.T) {
	for _, fail := range []bool{false, true} {
		s := Scenario{Clock: late{clock.New()}, Traffic: traffic.Rate(100).For(50 * time.Millisecond), FailWhenSlow: fail, Do: serve(0)}
		res, err := Do(t.Context(), s)
		require.NoError(t, err)
		require.Contains(t, res.Warning, "the load generator was the bottleneck")
		require.Equal(t, fail, res.Slow)

		text := jsonOf(t, res)
		again, err := result.Read(bytes.NewReader(text))
		require.NoError(t, err)
		var page strings.Builder
		require.NoError(t, again.WriteHTML(&page))
		require.Contains(t, page.String(), res.Warning[:40])
		require.Contains(t, again.String(), "\n  warning     "+res.Warning+"\n")
		verdict := map[bool]string{false: "load: DONE\n", true: "load: FAIL\n"}[fail]
		require.True(t, strings.HasPrefix(again.String(), verdict), again.String())
		require.Equal(t, fail, strings.Contains(page.String(), `class="badge bad"`))
		require.Equal(t, fail, again.Slow)
	}
}

func TestRunAllStartsInTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cpus := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(cpus)
		for range 20 {
			qtests.Run(t, func(q *qtests.T) {
				var mu sync.Mutex
				var order []string
				act := func(_ context.Context, u *User) error {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, u.Step())
					return nil
				}
				s := Scenario{Traffic: traffic.Bursts(2, time.Second).For(time.Second), Do: act}
				var all []Scenario
				for _, name := range []string{"a", "b", "c"} {
					s.Name = name
					s.Events = []event.Event{event.New(name, func() { _ = act(nil, &User{req: record.Request{Step: &record.Tally{Name: "event " + name}}}) }, nil)}
					all = append(all, s)
				}
				RunAll(q, all...)
				require.Equal(q, []string{"event a", "a", "a", "event b", "b", "b", "event c", "c", "c"}, order, "on %d processors", cpus)
			})
		}
	}
}
