package record

import (
	"math"
	"math/rand/v2"
	"slices"
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
			l.finish(at).sketch.record(time.Duration(r.IntN(1e9)))
			inFlight--
		}
		require.LessOrEqual(t, len(l.points), 600)
	}
	var arrivals, started int64
	var sketched uint64
	for i, p := range l.points {
		require.Equal(t, time.Duration(i)*l.width, p.Offset)
		arrivals, started, sketched = arrivals+p.Arrivals, started+p.Started, sketched+p.sketch.total
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

func TestSketchIsWithinItsPrecision(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var s sketch
	var all []float64
	for range 5000 {
		d := time.Duration(math.Exp(r.Float64()*20)) * time.Microsecond
		s.record(d)
		all = append(all, float64(d))
	}
	slices.Sort(all)
	for _, p := range []float64{50, 95, 99, 100} {
		want := all[result.RankOf(p, uint64(len(all)))-1]
		require.InEpsilon(t, want, float64(s.percentile(p)), 1.0/32)
	}
}
