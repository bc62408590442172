package qtests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/event"
)

// Events happen at their offsets, and one that is open when the test ends is ended with it.
func TestSchedule(t *testing.T) {
	var log []string
	Run(t, func(q *T) {
		q.Sleep(time.Second)
		note := func(what string) func() {
			return func() { log = append(log, what+" "+q.Elapsed().Round(time.Millisecond).String()) }
		}
		q.Schedule(event.New("a", note("begins"), note("ends")).At(time.Second).For(time.Second),
			event.New("b", note("opens"), note("closes")).At(4*time.Second).For(time.Hour),
			event.New("c", note("never"), nil).At(time.Hour))
		q.Sleep(10 * time.Second)
		require.Equal(q, []string{"begins 2s", "ends 3s", "opens 5s"}, log)
		marks, _ := q.EventLog().Marks()
		require.Len(q, marks, 3)
	})
	require.Equal(t, []string{"begins 2s", "ends 3s", "opens 5s", "closes 11s"}, log)
}

func TestScheduleFails(t *testing.T) {
	out, passed := runChild(t, "^TestChildSchedule$")
	require.False(t, passed)
	require.Contains(t, out, "schedule_test.go:44: qtests: Schedule: event: Event \"back\": Offset: -1s is negative")
	require.NotContains(t, out, "goes on")
	require.Contains(t, out, "schedule_test.go:50: qtests: Schedule: event: Event \"bad: begins\" panicked: oops")
	require.Contains(t, out, "--- PASS: TestChildSchedule/neighbour")
}

func TestChildSchedule(t *testing.T) {
	child(t)
	t.Run("invalid", func(t *testing.T) {
		Run(t, func(q *T) {
			q.Schedule(event.New("back", func() {}, nil).At(-time.Second))
			q.Log("goes on")
		})
	})
	t.Run("panics", func(t *testing.T) {
		Run(t, func(q *T) {
			q.Schedule(event.New("bad", func() { panic("oops") }, nil))
			q.Sleep(time.Second)
		})
	})
	t.Run("neighbour", neighbour)
}
