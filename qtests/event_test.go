package qtests

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/tbtest"
)

// story returns a function that makes events, and one that tells what they did.
func story(q *T) (event func(name string) Event, told func() []string) {
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
	return func(name string) Event { return NewEvent(name, say(name+"+"), say(name+"-")) },
		func() []string {
			mu.Lock()
			defer mu.Unlock()
			return lines
		}
}

func TestScheduleRunsEventsInOrder(t *testing.T) {
	Run(t, func(q *T) {
		event, told := story(q)
		stop, err := Schedule(q.Context(), q.Clock(), q.EventLog(),
			event("b").At(2*time.Second).For(time.Second),
			event("c").At(3*time.Second),                  // begins when b ends; never ends
			event("a").At(time.Second).For(4*time.Second), // around both
			event("now"),
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
		require.Equal(q, 3*time.Second, marks[3].At.Sub(q.start))
		require.Equal(q, "event", marks[3].Source)
	})
}

func TestScheduleEndsWhatHasBegun(t *testing.T) {
	for _, way := range []string{"stop", "context"} {
		Run(t, func(q *T) {
			event, told := story(q)
			ctx, cancel := context.WithCancel(q.Context())
			defer cancel()
			stop, err := Schedule(ctx, q.Clock(), nil,
				event("over").At(0).For(time.Second),
				event("open").At(time.Second).For(time.Hour),
				event("for good").At(time.Second),
				event("later").At(time.Minute).For(time.Hour),
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
	ok := NewEvent("x", func() {}, nil)
	for want, e := range map[string]Event{
		`qtests: Event "x": Offset: -1s is negative`:                                              ok.At(-time.Second),
		`qtests: Event "x": Duration: -1s is negative`:                                            ok.For(-time.Second),
		`qtests: Event "nothing": Begin and End are both nil`:                                     {Name: "nothing"},
		`qtests: Event "x": Duration: 2562047h47m16.854775807s after 1ns is past the end of time`: ok.At(1).For(math.MaxInt64),
	} {
		stop, err := Schedule(t.Context(), clock.New(), nil, ok, e)
		require.EqualError(t, err, want)
		require.Nil(t, stop)
	}
}

func TestScheduleEndsAtTheEndOfTime(t *testing.T) {
	require.NoError(t, NewEvent("x", func() {}, nil).At(time.Second).For(math.MaxInt64-time.Second).Validate())
}

func TestEventThatPanicsFailsAndTheOthersGoOn(t *testing.T) {
	boom := errors.New("boom")
	Run(t, func(q *T) {
		event, told := story(q)
		bad := event("bad").At(time.Second).For(3 * time.Second)
		bad.Begin = func() { panic(boom) }
		late := event("late").At(2 * time.Second).For(time.Hour)
		late.End = func() { panic("second") }
		stop, err := Schedule(q.Context(), q.Clock(), q.EventLog(), bad, event("good").At(time.Second).For(time.Hour), late)
		require.NoError(q, err)
		q.Sleep(time.Minute)
		for range 2 {
			err = stop()
			require.EqualError(q, err, `qtests: Event "bad: begins" panicked: boom`, "the first one")
		}
		require.ErrorIs(q, err, boom)
		var panicked *EventPanic
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
	Run(t, func(q *T) {
		event, told := story(q)
		exits := event("exits").For(time.Hour)
		exits.End = runtime.Goexit
		stop, err := Schedule(q.Context(), q.Clock(), nil, exits, event("a").At(time.Second).For(2*time.Hour))
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
	stop, err := Schedule(t.Context(), mock, nil, NewEvent("x", func() { close(ran) }, nil).At(time.Second))
	require.NoError(t, err)
	mock.Add(time.Second)
	for waiting := true; waiting; {
		select {
		case <-ran:
			waiting = false
		default:
			mock.Add(time.Second) // the goroutine may not have armed its timer before
		}
	}
	require.NoError(t, stop())
}

func TestEventLogIsBounded(t *testing.T) {
	var l EventLog
	for i := range DefaultEventLogSize + 5 {
		l.Add(time.Unix(int64(-i), 0), "test", fmt.Sprint(i))
	}
	marks, dropped := l.Marks()
	require.Len(t, marks, DefaultEventLogSize)
	require.Equal(t, 5, dropped)
	require.Equal(t, fmt.Sprint(DefaultEventLogSize-1), marks[0].Text, "ordered by instant, the beginning of the story kept")

	var none *EventLog
	none.Add(time.Now(), "test", "dropped")
	marks, dropped = none.Marks()
	require.Empty(t, marks)
	require.Zero(t, dropped)
}

func TestWhatAPlainTestLacks(t *testing.T) {
	var dir string
	r := tbtest.Run("plain", func(r *tbtest.TB) {
		require.False(t, TieFree(ClockOf(r)))
		require.Equal(t, seedSetting.get(), SeedOf(r))
		require.Nil(t, EventLogOf(r))
		require.NoError(t, ContextOf(r).Err())
		AttrOf(r, "key", "value")
		dir = ArtifactDirOf(r)
		require.DirExists(t, dir)
		require.Equal(t, NewStream(SeedOf(r), "x"), StreamOf(r, "x"))
	})
	require.False(t, r.Failed())
	_, err := os.Stat(dir)
	require.ErrorIs(t, err, os.ErrNotExist)

	Run(t, func(q *T) {
		require.True(q, TieFree(ClockOf(q)))
		require.Equal(q, q.Seed(), SeedOf(q))
		require.Same(q, q.EventLog(), EventLogOf(q))
		require.Equal(q, q.Context(), ContextOf(q))
		require.DirExists(q, ArtifactDirOf(q))
	})
}
