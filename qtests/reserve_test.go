package qtests

import (
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/headcount"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
)

// Who is late to wait, and who waits, makes no difference to the order.
func TestReservationKeepsItsPlace(t *testing.T) {
	Run(t, func(q *T) {
		var mu sync.Mutex // for the race detector: events of one instant come one at a time
		var order []string
		note := func(name string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
		}
		first := bubble.Reserve(q.Clock(), time.Second)
		second := bubble.Reserve(q.Clock(), time.Second)
		q.Clock().AfterFunc(time.Second, func() { note("timer") })
		released := bubble.Reserve(q.Clock(), time.Second)
		q.Clock().Sleep(time.Millisecond)
		second.AfterFunc(func() { note("second") })
		go func() {
			at := first.Sleep()
			note("first")
			require.True(q, at.Equal(q.Clock().Now()))
			require.Equal(q, time.Second, q.Elapsed())
		}()
		pending := q.ClockStats().Pending
		released.Release()
		require.Equal(q, pending-1, q.ClockStats().Pending)
		q.Sleep(time.Second)
		require.Equal(q, []string{"first", "second", "timer"}, order)
		require.Zero(q, q.ClockStats().Pending)
	})
}

func TestReservationThatHasPassed(t *testing.T) {
	Run(t, func(q *T) {
		late := bubble.Reserve(q.Clock(), time.Second)
		q.Clock().Sleep(2 * time.Second)
		at := late.Sleep()
		require.Equal(q, 2*time.Second, at.Sub(q.start))
		require.Equal(q, 2*time.Second, q.Elapsed())
		require.Zero(q, q.ClockStats().Pending)

		called := make(chan time.Duration)
		late = bubble.Reserve(q.Clock(), -time.Second)
		q.Clock().Sleep(time.Second)
		late.AfterFunc(func() { called <- q.Elapsed() })
		require.Equal(q, 3*time.Second, <-called)
		require.Zero(q, q.ClockStats().Pending)
	})
}

// On a clock that is not tie-free a reservation is its instant.
func TestReservationOfAnotherClock(t *testing.T) {
	mock := clock.NewMock()
	called := make(chan time.Time, 1)
	r := bubble.Reserve(mock, time.Second)
	mock.Add(400 * time.Millisecond)
	r.AfterFunc(func() { called <- mock.Now() })
	mock.Add(599 * time.Millisecond)
	require.Empty(t, called)
	mock.Add(time.Millisecond)
	require.Equal(t, time.Second, (<-called).Sub(time.Unix(0, 0)))
	require.True(t, r.Sleep().Equal(mock.Now()), "it has passed")
	bubble.Reserve(mock, time.Hour).Release()

	before := time.Now()
	require.False(t, bubble.Reserve(clock.New(), time.Millisecond).Sleep().Before(before.Add(time.Millisecond)))
}

// A place that is traded is used up, and the new one is the last of its instant.
func TestReservationIsTraded(t *testing.T) {
	Run(t, func(q *T) {
		order := make(chan string, 2)
		first, second := bubble.Reserve(q.Clock(), time.Second), bubble.Reserve(q.Clock(), time.Second)
		q.Clock().AfterFunc(2*time.Second, func() { order <- "timer" })
		first.Await()
		now, third := first.Trade(q.start, 2*time.Second)
		require.Equal(q, time.Second, now)
		require.Equal(q, time.Second, second.Pass(q.start), "before it is due: it is given back")
		third.CallAwaited(func() {
			require.Equal(q, 2*time.Second, third.Pass(q.start))
			order <- "traded"
		})
		q.Sleep(2 * time.Second)
		require.Equal(q, []string{"timer", "traded"}, []string{<-order, <-order})

		late := bubble.Reserve(q.Clock(), time.Second)
		q.Clock().Sleep(2 * time.Second)
		late.Await()
		now, last := late.Trade(q.start, time.Second)
		require.Equal(q, 5*time.Second, now)
		called := make(chan time.Duration)
		last.CallAwaited(func() { called <- last.Pass(q.start) })
		require.Equal(q, 5*time.Second, <-called, "an instant that has passed is due at once")
		q.Clock().Sleep(time.Second)
		last = bubble.Reserve(q.Clock(), -time.Second)
		q.Clock().Sleep(time.Second)
		last.CallAwaited(func() { called <- last.Pass(q.start) })
		require.Equal(q, 7*time.Second, <-called)
		require.Zero(q, q.ClockStats().Pending)
	})
	mock := clock.NewMock()
	start := mock.Now()
	mock.Add(time.Second)
	r := bubble.Reserve(mock, -time.Second)
	r.Await()
	now, next := r.Trade(start, 3*time.Second)
	require.Equal(t, time.Second, now)
	called := make(chan time.Duration, 1)
	next.CallAwaited(func() { called <- next.Pass(start) })
	mock.Add(2 * time.Second)
	require.Equal(t, 3*time.Second, <-called)
	_, next = r.Trade(start, time.Second)
	next.Await() // it has passed
}

func TestSinceOfTimesNoClockReaches(t *testing.T) {
	Run(t, func(q *T) {
		for _, at := range []time.Time{{}, time.Unix(1<<60, 0), q.start, q.start.Add(-time.Nanosecond)} {
			require.Equal(q, q.Clock().Now().Sub(at), q.Clock().Since(at))
		}
	})
}

func TestLimitGoroutinesPassesOverWhoStands(t *testing.T) {
	Run(t, func(q *T) {
		r := &relay{TB: q}
		LimitGoroutines(&T{TB: r, run: q.run, clock: q.clock, home: q.home, turns: q.turns}, 1)
		var places [5]bubble.Reservation
		for i := range places {
			places[i] = bubble.Reserve(q.Clock(), 2*time.Second)
		}
		for _, place := range places {
			go place.Sleep()
		}
		q.Wait() // who has not come to Sleep yet counts
		go q.Clock().Sleep(3 * time.Second)
		q.Sleep(time.Second)
		r.end() // which always counts
		require.Empty(q, r.errors)
		q.Sleep(2 * time.Second)
	})
}

// Of those who stand, some begin to work: that the process has no more
// goroutines than before must not hide it.
func TestLimitGoroutinesSeesWhoStoodAndWorks(t *testing.T) {
	idle, counts := int64(1_000_000), 0
	w := &headcount.Watch{
		Idle: func() int64 { return idle }, Count: func() int { counts++; return 1 },
		List: func() []stacks.Goroutine { return nil },
	}
	w.Look()
	require.Zero(t, counts)
	idle = 0
	w.Look()
	require.Equal(t, 1, counts)

	Run(t, func(q *T) {
		go bubble.Reserve(q.Clock(), time.Second).Sleep()
		place := bubble.Reserve(q.Clock(), time.Second)
		go func() {
			place.Await()
			place.Pass(q.start)
		}()
		q.Wait()
		require.EqualValues(q, 2, q.clock.Standing())
		q.Sleep(2 * time.Second)
		require.Zero(q, q.clock.Standing())
	})
}
