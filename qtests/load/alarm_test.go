package load

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// countdown is what is left: each of the durations in turn, and then nothing.
func countdown(asked *int, left ...time.Duration) func() time.Duration {
	return func() time.Duration {
		*asked++
		if *asked > len(left) {
			return 0
		}
		return left[*asked-1]
	}
}

func TestAlarmsWaitUntilNothingIsLeft(t *testing.T) {
	for name, closed := range map[string]bool{"with alarms": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			var a alarms
			a.mu.closed = closed
			defer a.close()
			for _, left := range [][]time.Duration{
				{},
				{-time.Second},
				{time.Nanosecond},
				{time.Millisecond},
				{time.Millisecond, time.Microsecond, 1}, // woken too early, twice
			} {
				asked := 0
				a.wait(countdown(&asked, left...))
				require.LessOrEqual(t, asked, len(left)+1, left)
				require.GreaterOrEqual(t, asked, min(len(left), 1), left)
			}
			asked := 0
			a.wait(countdown(&asked, 1, 1, 1))
			require.Equal(t, 4, asked, "it asks until nothing is left")
		})
	}
}

// One alarm serves one wait after the other, and many at once have one each.
func TestAlarmsAreUsedAgain(t *testing.T) {
	var a alarms
	first := a.take()
	if runtime.GOOS != "linux" {
		require.Nil(t, first)
		t.Skip("only Linux needs alarms")
	}
	require.NotNil(t, first)
	second := a.take()
	require.NotSame(t, first, second)
	a.giveBack(second)
	require.Same(t, second, a.take())
	a.giveBack(first)

	a.close()
	require.Empty(t, a.mu.free)
	asked := 0
	require.Error(t, first.wait(countdown(&asked, time.Hour)))
	a.giveBack(second)
	require.Error(t, second.wait(countdown(&asked, time.Hour)), "given back after the end")
	require.Nil(t, a.take())
	a.close()
	(*alarms)(nil).close()
}

func TestStressAlarms(t *testing.T) {
	var a alarms
	defer a.close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 * stress() {
				asked := 0
				a.wait(countdown(&asked, 50*time.Microsecond, time.Microsecond))
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, len(a.mu.free), 8)
}

// openTimers counts the process' alarms.
func openTimers(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.Contains(to, "timerfd") {
			n++
		}
	}
	return n
}

func TestRealRunLeavesNoAlarm(t *testing.T) {
	before, most := openTimers(t), 0
	res, err := Do(context.Background(), Scenario{
		Traffic: traffic.Rate(200).For(200 * time.Millisecond),
		Do: func(context.Context, *User) error {
			most = max(most, openTimers(t)-before)
			return nil
		},
		MaxInFlight: 1,
	})
	require.NoError(t, err)
	require.EqualValues(t, 40, res.Finished)
	if runtime.GOOS == "linux" {
		require.Positive(t, most, "arrivals that are 5 ms apart have alarms")
	}
	require.Equal(t, before, openTimers(t))
}

// Package time may wake the last of several that are due at once first.
func TestRealArrivalsComeInOrder(t *testing.T) {
	r, err := newRun(context.Background(), Scenario{Name: "order", Traffic: traffic.Rate(2000).For(time.Second), Do: func(context.Context, *User) error { return nil }})
	require.NoError(t, err)
	r.start = r.clk.Now()
	o := newOpenLoop(r)
	require.NotNil(t, o.alarms)
	for i := range 4 {
		o.expectLocked(traffic.Arrival{At: time.Duration(i+1) * 500 * time.Microsecond}, 0)
	}
	var taken []due
	for range 4 {
		taken = append(taken, o.takeLocked(o.nextLocked()))
	}
	taken[3].rested = true
	var come []int64
	var rested []bool
	for _, i := range []int{3, 0, 2, 1} {
		first, _ := o.first(taken[i])
		come, rested = append(come, first.number), append(rested, first.rested)
	}
	require.Equal(t, []int64{1, 2, 3, 4}, come)
	require.Equal(t, []bool{true, false, false, false}, rested, "that is of the goroutine")
}

func TestSparseArrivalsHaveAlarms(t *testing.T) {
	r, err := newRun(context.Background(), Scenario{Name: "sparse", Traffic: traffic.Rate(1).For(time.Second), Do: func(context.Context, *User) error { return nil }})
	require.NoError(t, err)
	o := newOpenLoop(r)
	for _, c := range []struct {
		at    time.Duration
		alone bool
	}{
		{time.Millisecond, true}, {time.Millisecond, false}, {2*time.Millisecond - 1, false}, {3 * time.Millisecond, true}, {time.Second, true},
	} {
		o.expectLocked(traffic.Arrival{At: c.at}, 0)
		require.Equal(t, c.alone, o.nextLocked().alone, c.at)
		o.takeLocked(o.nextLocked())
	}
}
