package load

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

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
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	res, err := Do(ctx, Scenario{
		// On a busy machine many arrivals are late, and wait for nothing: it goes on until one is in time.
		Traffic: traffic.Rate(200).For(time.Minute),
		Do: func(_ context.Context, u *User) error {
			if most = max(most, openTimers(t)-before); u.Request() >= 40 && (most > 0 || runtime.GOOS != "linux") {
				cancel()
			}
			return nil
		},
		MaxInFlight: 1, Overflow: Queue, ServeQueue: true, // one after the other, because they share most
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, res.Finished, int64(40))
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
	o, a := newOpenLoop(r), r.mu.arrivals
	require.NotNil(t, o.alarms)
	for i := range 4 {
		at := time.Duration(i+1) * 500 * time.Microsecond
		a.expect(traffic.Arrival{At: at}, bubble.Reserve(r.clk, at))
	}
	var taken []*due
	for range 4 {
		taken = append(taken, a.take(a.next()))
	}
	taken[3].rested = true
	var come []int64
	var rested []bool
	for _, i := range []int{3, 0, 2, 1} {
		first := *taken[i]
		o.run.first(&first)
		come, rested = append(come, first.number), append(rested, first.rested)
	}
	require.Equal(t, []int64{1, 2, 3, 4}, come)
	require.Equal(t, []bool{true, false, false, false}, rested, "that is of the goroutine")
}

func TestSparseArrivalsHaveAlarms(t *testing.T) {
	r, err := newRun(context.Background(), Scenario{Name: "sparse", Traffic: traffic.Rate(1).For(time.Second), Do: func(context.Context, *User) error { return nil }})
	require.NoError(t, err)
	a := r.mu.arrivals
	for _, c := range []struct {
		at    time.Duration
		alone bool
	}{
		{time.Millisecond, true}, {time.Millisecond, false}, {2*time.Millisecond - 1, false}, {3 * time.Millisecond, true}, {time.Second, true},
	} {
		a.expect(traffic.Arrival{At: c.at}, bubble.Reserve(r.clk, c.at))
		require.Equal(t, c.alone, a.next().alone, c.at)
		a.take(a.next())
	}
}
