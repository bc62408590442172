package event_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
)

// story returns a function that makes events, and one that tells what they did.
func story(q *qtests.T) (happen func(name string) event.Event, told func() []string) {
	var mu sync.Mutex
	var lines []string
	begin := q.Clock().Now()
	say := func(text string) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, fmt.Sprintf("%v %s", q.Clock().Since(begin), text))
		}
	}
	return func(name string) event.Event { return event.New(name, say(name+"+"), say(name+"-")) },
		func() []string {
			mu.Lock()
			defer mu.Unlock()
			return lines
		}
}

func TestScheduleRunsEventsInOrder(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		begin := q.Clock().Now()
		happen, told := story(q)
		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(),
			happen("b").At(2*time.Second).For(time.Second),
			happen("c").At(3*time.Second),                  // begins when b ends; never ends
			happen("a").At(time.Second).For(4*time.Second), // around both
			happen("now"),
		)
		require.NoError(q, err)
		q.Sleep(time.Minute)
		require.NoError(q, stop())
		require.NoError(q, stop(), "once more")
		require.Equal(q, []string{"0s now+", "1s a+", "2s b+", "3s b-", "3s c+", "5s a-"}, told())
		marks, dropped := q.EventLog().Marks()
		require.Zero(q, dropped)
		require.Len(q, marks, 6)
		require.Equal(q, "b: ends", marks[3].Text)
		require.Equal(q, 3*time.Second, marks[3].At.Sub(begin))
		require.Equal(q, "event", marks[3].Source)
	})
}

func TestScheduleEndsWhatHasBegun(t *testing.T) {
	for _, way := range []string{"stop", "context"} {
		qtests.Run(t, func(q *qtests.T) {
			happen, told := story(q)
			ctx, cancel := context.WithCancel(q.Context())
			defer cancel()
			stop, err := event.Schedule(ctx, q.Clock(), nil,
				happen("over").At(0).For(time.Second),
				happen("open").At(time.Second).For(time.Hour),
				happen("for good").At(time.Second),
				happen("later").At(time.Minute).For(time.Hour),
			)
			require.NoError(q, err)
			q.Sleep(30 * time.Second)
			if way == "context" {
				cancel()
				q.Wait()
			}
			require.NoError(q, stop())
			require.Equal(q, []string{"0s over+", "1s over-", "1s open+", "1s for good+", "30s open-"}, told())
		})
	}
}

func TestScheduleRejects(t *testing.T) {
	ok := event.New("x", func() {}, nil)
	for want, e := range map[string]event.Event{
		`event: Event "x": Offset: -1s is negative`:                                              ok.At(-time.Second),
		`event: Event "x": Duration: -1s is negative`:                                            ok.For(-time.Second),
		`event: Event "nothing": Begin and End are both nil`:                                     {Name: "nothing"},
		`event: Event "x": Duration: 2562047h47m16.854775807s after 1ns is past the end of time`: ok.At(1).For(math.MaxInt64),
	} {
		stop, err := event.Schedule(t.Context(), clock.New(), nil, ok, e)
		require.EqualError(t, err, want)
		require.Nil(t, stop)
	}
}

func TestScheduleEndsAtTheEndOfTime(t *testing.T) {
	require.NoError(t, event.New("x", func() {}, nil).At(time.Second).For(math.MaxInt64-time.Second).Validate())
}

func TestEventThatPanicsFailsAndTheOthersGoOn(t *testing.T) {
	boom := errors.New("boom")
	qtests.Run(t, func(q *qtests.T) {
		happen, told := story(q)
		bad := happen("bad").At(time.Second).For(3 * time.Second)
		bad.Begin = func() { panic(boom) }
		late := happen("late").At(2 * time.Second).For(time.Hour)
		late.End = func() { panic("second") }
		stop, err := event.Schedule(q.Context(), q.Clock(), q.EventLog(), bad, happen("good").At(time.Second).For(time.Hour), late)
		require.NoError(q, err)
		q.Sleep(time.Minute)
		for range 2 {
			err = stop()
			require.EqualError(q, err, `event: Event "bad: begins" panicked: boom`, "the first one")
		}
		require.ErrorIs(q, err, boom)
		var panicked *event.PanicError
		require.ErrorAs(q, err, &panicked)
		require.Contains(q, string(panicked.Stack), "event_test.go")
		require.Equal(q, []string{"1s good+", "2s late+", "4s bad-", "1m0s good-"}, told(), "what has begun is ended, however")
		var texts []string
		marks, _ := q.EventLog().Marks()
		for _, m := range marks {
			texts = append(texts, m.Text)
		}
		require.Contains(q, texts, "bad: begins: panicked: boom")
		require.Contains(q, texts, "late: ends: panicked: second")
	})
}

func TestEventThatEndsItsGoroutineLetsTheOthersEnd(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		happen, told := story(q)
		exits := happen("exits").For(time.Hour)
		exits.End = runtime.Goexit
		stop, err := event.Schedule(q.Context(), q.Clock(), nil, exits, happen("a").At(time.Second).For(2*time.Hour))
		require.NoError(q, err)
		q.Sleep(time.Minute)
		done := make(chan struct{})
		go func() { defer close(done); _ = stop() }()
		<-done
		require.NoError(q, stop())
		require.Equal(q, []string{"0s exits+", "1s a+", "1m0s a-"}, told())
	})
}

func TestScheduleOnAMock(t *testing.T) {
	mock := clock.NewMock()
	ran := make(chan struct{})
	stop, err := event.Schedule(t.Context(), mock, nil, event.New("x", func() { close(ran) }, nil).At(time.Second))
	require.NoError(t, err)
	mock.Add(time.Second)
	<-ran
	require.NoError(t, stop())
}

// A deaf clock fires no timer in time, like clock.Mock when the goroutine of a timer does
// not get to run.
type deaf struct{ *clock.Mock }

func (d deaf) AfterFunc(_ time.Duration, f func()) *clock.Timer {
	return d.Mock.AfterFunc(math.MaxInt64, f)
}

func marksOf(log *event.Log) (lines []string) {
	marks, _ := log.Marks()
	for _, m := range marks {
		lines = append(lines, m.At.UTC().Format(time.TimeOnly)+" "+m.Text)
	}
	return lines
}

func TestStopDoesWhatIsLate(t *testing.T) {
	mock, log := clock.NewMock(), event.NewLog(nil)
	nothing := func() {}
	stop, err := event.Schedule(t.Context(), deaf{mock}, log,
		event.New("over", nothing, nothing).At(time.Minute).For(time.Minute),
		event.New("exits", runtime.Goexit, nothing).At(time.Minute).For(2*time.Minute),
		event.New("open", nothing, nothing).At(time.Hour).For(1),
		event.New("later", nothing, nothing).At(time.Hour+1).For(time.Hour),
	)
	require.NoError(t, err)
	mock.Add(time.Hour)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = stop() }() // Goexit ends it
	<-ended
	require.NoError(t, stop())
	require.Equal(t, []string{
		"00:01:00 over: begins", "00:01:00 exits: begins", "00:02:00 over: ends", "00:03:00 exits: ends",
		"01:00:00 open: begins", "01:00:00 open: ends early",
	}, marksOf(log))
}

func TestWhatIsLateRunsWithoutAnotherTimer(t *testing.T) {
	mock, log := clock.NewMock(), event.NewLog(nil)
	moved, done := make(chan struct{}), make(chan struct{})
	stop, err := event.Schedule(t.Context(), mock, log,
		event.New("slow", func() { <-moved }, runtime.Goexit).At(time.Minute).For(time.Minute),
		event.New("last", func() {}, func() { close(done) }).At(time.Minute).For(time.Hour),
		event.New("later", func() {}, nil).At(time.Hour+2*time.Minute),
	)
	require.NoError(t, err)
	mock.Add(time.Hour + time.Minute)
	close(moved)
	<-done
	require.NoError(t, stop())
	require.Equal(t, []string{
		"00:01:00 slow: begins", "00:01:00 last: begins", "00:02:00 slow: ends", "01:01:00 last: ends",
	}, marksOf(log))
}
