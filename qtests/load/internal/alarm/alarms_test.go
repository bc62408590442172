package alarm

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
			var a Set
			a.mu.closed = closed
			defer a.Close()
			for _, left := range [][]time.Duration{
				{},
				{-time.Second},
				{time.Nanosecond},
				{time.Millisecond},
				{time.Millisecond, time.Microsecond, 1}, // woken too early, twice
			} {
				asked := 0
				a.Wait(countdown(&asked, left...))
				require.LessOrEqual(t, asked, len(left)+1, left)
				require.GreaterOrEqual(t, asked, min(len(left), 1), left)
			}
			asked := 0
			a.Wait(countdown(&asked, 1, 1, 1))
			require.Equal(t, 4, asked, "it asks until nothing is left")
		})
	}
}

// One alarm serves one wait after the other, and many at once have one each.
func TestAlarmsAreUsedAgain(t *testing.T) {
	var a Set
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

	a.Close()
	require.Empty(t, a.mu.free)
	asked := 0
	require.Error(t, first.wait(countdown(&asked, time.Hour)))
	a.giveBack(second)
	require.Error(t, second.wait(countdown(&asked, time.Hour)), "given back after the end")
	require.Nil(t, a.take())
	a.Close()
	(*Set)(nil).Close()
}

func TestStressAlarms(t *testing.T) {
	var a Set
	defer a.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				asked := 0
				a.Wait(countdown(&asked, 50*time.Microsecond, time.Microsecond))
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, len(a.mu.free), 8)
}
