package bubble

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

func TestSaturatingAdd(t *testing.T) {
	for _, c := range []struct {
		t    int64
		d    time.Duration
		want int64
	}{
		{5, 0, 5},
		{5, 3, 8},
		{LastInstant - 5, 5, LastInstant},
		{LastInstant - 5, 6, LastInstant},
		{LastInstant, time.Hour, LastInstant},
		{5, math.MaxInt64, LastInstant},
	} {
		require.Equal(t, c.want, saturatingAdd(c.t, c.d), c)
	}
}

// TestSinceIsNowSub for any time, also one whose distance no Duration can hold.
func TestSinceIsNowSub(t *testing.T) {
	const last = math.MaxInt64 / int64(time.Second) // the last second that fits into nanoseconds
	synctest.Test(t, func(t *testing.T) {
		c := newTieFree()
		for _, at := range []time.Time{
			c.Now(), c.Now().Add(-time.Second), c.Now().Add(time.Hour), {}, begins, time.Unix(0, 0), time.Unix(1, 1), time.Unix(-1, 0),
			time.Unix(last-1, 999_999_999), time.Unix(last, 0), time.Unix(last, 999_999_999), time.Unix(last+1, 0), time.Unix(1<<60, 0),
			time.Unix(-last, 0), time.Unix(-last-1, 0), time.Unix(-last-2, 0), time.Date(1700, time.January, 1, 0, 0, 0, 0, time.UTC),
		} {
			require.Equal(t, c.Now().Sub(at), c.Since(at), at)
			require.Equal(t, at.Sub(c.Now()), c.Until(at), at)
		}
	})
}

// TestOutsideContext: a deadline in the days after the start of the process is one of real time, unless the test has gone there.
func TestOutsideContext(t *testing.T) {
	for _, c := range []struct {
		name          string
		deadline, now time.Time
		want          bool
	}{
		{"of the bubble", begins.Add(time.Hour), begins, false},
		{"of real time", epoch.Add(time.Hour), begins, true},
		{"soon", epoch.Add(time.Nanosecond), begins, true},
		{"in weeks", epoch.AddDate(0, 0, 29), begins, true},
		{"in months", epoch.AddDate(0, 0, 31), begins, false},
		{"before the process", epoch.Add(-time.Hour), begins, false},
		{"of a test that is in the present", epoch.Add(time.Hour), epoch.AddDate(0, -11, 0), false},
		{"of a test that is in the past", epoch.Add(time.Hour), epoch.AddDate(0, -13, 0), true},
	} {
		ctx, cancel := context.WithDeadline(context.Background(), c.deadline)
		problem := outsideContext(ctx, c.now)
		cancel()
		require.Equal(t, c.want, problem != "", "%s: %s", c.name, problem)
	}
	require.Empty(t, outsideContext(context.Background(), begins))
}

func TestCheckContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outside, cancel := context.WithDeadline(context.Background(), epoch.Add(time.Hour))
		defer cancel()
		c := newTieFree()
		CheckContext(outside, c) // nobody is told
		var problems []string
		c.Complain = func(problem string) { problems = append(problems, problem) }
		CheckContext(outside, clock.New())
		CheckContext(context.Background(), c)
		require.Empty(t, problems)
		CheckContext(outside, c)
		require.Len(t, problems, 1)
		require.Regexp(t, `^\S+/clock_table_test\.go:\d+: qtests: a context with the deadline `, problems[0])
	})
}

// TestWaitsOfNothing take no place, and no time.
func TestWaitsOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTieFree()
		begin := time.Now()
		c.Sleep(0)
		c.Sleep(-time.Second)
		InTurn(c)
		require.Zero(t, c.Stats())
		require.Equal(t, begin, time.Now())
	})
}

// TestInTurn: on a clock of a bubble each wake has its turn; on another one they follow at once.
func TestInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		order := make(chan int, 3)
		InTurn(newTieFree(),
			func() { order <- 1; go func() { order <- 2 }() },
			func() { order <- 3 })
		require.Empty(t, order)
		require.Equal(t, []int{1, 2, 3}, []int{<-order, <-order, <-order})
		InTurn(clock.New(), func() { order <- 1 }, func() { order <- 2 })
		require.Len(t, order, 2)
		require.Equal(t, []int{1, 2}, []int{<-order, <-order})
	})
}

// TestReservationOfAMock waits for what is left of it on a clock that is stepped by hand.
func TestReservationOfAMock(t *testing.T) {
	clk := clock.NewMock()
	r := Reserve(clk, time.Minute)
	called := make(chan bool, 1)
	r.AfterFunc(func() { called <- true })
	require.Equal(t, time.Minute, r.left())
	clk.Add(20 * time.Second)
	require.Equal(t, 40*time.Second, r.left())
	require.Zero(t, Reserve(clk, -time.Hour).left())
	require.Empty(t, called)
	clk.Add(time.Minute)
	<-called
	now := clk.Now()
	require.Equal(t, now, r.Sleep(), "it has passed, and the clock does not turn back")
	r.AfterFunc(func() { called <- true })
	clk.Add(0)
	<-called
	require.Equal(t, now, clk.Now())
	r.Release()
}

// TestRests: all are told whenever a wait begins and ends.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTieFree()
		var told [2]int
		for i := range told {
			c.Rests.Add(func() { told[i]++ })
		}
		c.Sleep(time.Second)
		require.Equal(t, [2]int{2, 2}, told)
	})
}

// TestBeat: where nobody has asked for it, nothing happens.
func TestBeat(t *testing.T) {
	beat.Store(nil)
	defer beat.Store(nil)
	Beat(begins)
	var at time.Time
	OnBeat(func(now time.Time) { at = now })
	Beat(begins)
	require.Equal(t, begins, at)
}
