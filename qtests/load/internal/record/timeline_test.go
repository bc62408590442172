package record

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/result"
)

func TestTimelineKeepsItsSumsWhenItDoubles(t *testing.T) {
	l := newTimeline(time.Second)
	require.Equal(t, 10*time.Millisecond, l.width)
	r := rand.New(rand.NewPCG(4, 4))
	var n, inFlight int64
	at := time.Duration(0)
	for range 20_000 {
		at += time.Duration(r.Int64N(int64(time.Second)))
		l.at(at).Arrivals++
		l.start(at)
		inFlight++
		n++
		if r.IntN(3) > 0 && inFlight > 0 {
			l.finish(at).times.Record(time.Duration(r.IntN(1e9)))
			inFlight--
		}
		require.LessOrEqual(t, len(l.points), 600)
	}
	var arrivals, started int64
	var sketched uint64
	for i, p := range l.points {
		require.Equal(t, time.Duration(i)*l.width, p.Offset)
		arrivals, started, sketched = arrivals+p.Arrivals, started+p.Started, sketched+p.times.Count()
	}
	require.Equal(t, n, arrivals)
	require.Equal(t, n, started)
	require.Equal(t, uint64(n-inFlight), sketched)
	require.GreaterOrEqual(t, l.width, at/MaxPoints)
	require.Equal(t, inFlight, l.inFlight)

	l = newTimeline(time.Second)
	l.at(600*l.width - 1)
	require.Len(t, l.points, 600)
	l.at(600 * l.width)
	require.Len(t, l.points, 301, "two make one, and one more")
}

// The width is the shortest that holds the run and one interval more.
func TestWidths(t *testing.T) {
	for length, want := range map[time.Duration]time.Duration{
		0: time.Millisecond, 599*time.Millisecond - 1: time.Millisecond, 599 * time.Millisecond: 10 * time.Millisecond,
		599*12*time.Hour - 1: 12 * time.Hour, 599 * 12 * time.Hour: 24 * time.Hour,
	} {
		require.Equal(t, want, newTimeline(length).width, length)
	}
	for length, want := range map[time.Duration]time.Duration{
		0: time.Millisecond, 149*time.Millisecond - 1: time.Millisecond, 149 * time.Millisecond: 10 * time.Millisecond,
		149 * 12 * time.Hour: 24 * time.Hour,
	} {
		require.Equal(t, want, newCurve(length).width, length)
	}
}

// What happens before the start counts in the first interval.
func TestBeforeTheStart(t *testing.T) {
	l, c := newTimeline(time.Second), newCurve(time.Second)
	l.at(-time.Hour).Arrivals++
	l.at(-time.Hour).Arrivals++
	require.EqualValues(t, 2, l.points[0].Arrivals)
	c.add(-time.Hour, time.Second, true)
	require.Equal(t, []result.StepPoint{{Finished: 1, Errors: 1, Sum: time.Second, Max: time.Second}}, c.points)
}

// A request that spans intervals is in flight in all of them.
func TestInFlightOfTheTimeline(t *testing.T) {
	l := newTimeline(time.Second)
	l.start(0)
	l.start(0)
	l.finish(3 * l.width)
	l.finish(4 * l.width)
	l.at(5 * l.width)
	var got []int64
	for _, p := range l.points {
		got = append(got, p.InFlight)
	}
	require.Equal(t, []int64{2, 2, 2, 2, 1, 0}, got)
}

func TestCurveKeepsItsSumsWhenItDoubles(t *testing.T) {
	c := newCurve(0)
	for i := range 1000 {
		c.add(time.Duration(i)*time.Millisecond, time.Second, i%2 == 0)
		require.LessOrEqual(t, len(c.points), maxCurve)
	}
	require.Equal(t, 8*time.Millisecond, c.width)
	require.Len(t, c.points, 125)
	for _, p := range c.points {
		require.Equal(t, result.StepPoint{Finished: 8, Errors: 4, Sum: 8 * time.Second, Max: time.Second}, p)
	}
	c = newCurve(0)
	c.add(150*c.width-1, 0, false)
	require.Len(t, c.points, 150)
	c.add(150*time.Millisecond, 0, false)
	require.Len(t, c.points, 76, "two make one, and one more")
	c.add(152*time.Millisecond, 0, false)
	c.add(300*time.Millisecond, 0, false)
	require.Len(t, c.points, 76, "an odd number of them, too")
	require.Equal(t, []int64{2, 1, 1}, []int64{c.points[37].Finished, c.points[38].Finished, c.points[75].Finished})
}
