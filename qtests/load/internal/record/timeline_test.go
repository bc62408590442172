package record

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
