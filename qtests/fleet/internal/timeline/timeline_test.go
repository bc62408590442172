package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }

func TestTimelineCountsByInterval(t *testing.T) {
	x := New(start)
	x.SetReplicas(start, 3)
	x.Request(at(0.5), true)
	x.SetReplicas(at(2), 5)
	x.SetReplicas(at(2.5), 1)
	x.Request(at(2.9), true)
	x.Request(at(2.9), false)
	c := x.Until(at(4))
	require.Equal(t, []Point{{1, 0, 3}, {0, 0, 3}, {1, 1, 5}, {0, 0, 1}, {0, 0, 1}}, c.Points)
	x.Request(at(4), true)
	require.Zero(t, c.Points[4].Answered, "a copy")
	require.Equal(t, `instances ▅▅█▂▂  5
answered  █ █    1/s
lost        █    1/s
          1s a letter, 5s in all
`, c.String())
}

// Two intervals become one when there are too many: nothing gets lost, and the most replicas count.
func TestTimelineIsBounded(t *testing.T) {
	x := New(start)
	for n := range 10 * maxPoints {
		x.SetReplicas(at(float64(n)), n%7)
		x.Request(at(float64(n)), n%3 > 0)
	}
	require.LessOrEqual(t, len(x.Points), maxPoints)
	require.Equal(t, 16*time.Second, x.Width)
	var answered, lost uint64
	for _, p := range x.Points {
		answered, lost = answered+p.Answered, lost+p.Lost
		require.Equal(t, 6, p.Replicas)
	}
	require.Equal(t, [2]uint64{960, 480}, [2]uint64{answered, lost})
}

// The intervals grow with the first one too many, also where nothing happened in between and their number is odd.
func TestTimelineGrowsWhenItMust(t *testing.T) {
	x := New(start)
	x.Request(at(maxPoints-1), true)
	require.Equal(t, time.Second, x.Width)
	require.Len(t, x.Points, maxPoints)
	x.Request(at(maxPoints), true)
	require.Equal(t, 2*time.Second, x.Width)
	require.Len(t, x.Points, maxPoints/2+1)

	x = New(start)
	for n := range 3 {
		x.Request(at(float64(n)), true)
	}
	x.Request(at(2*maxPoints-1), false)
	require.Equal(t, []Point{{Answered: 2}, {Answered: 1}, {}}, x.Points[:3])
	require.Equal(t, Point{Lost: 1}, x.Points[maxPoints-1])
}

// A rate is one of a second, however wide an interval is.
func TestTimelineDrawsRates(t *testing.T) {
	x := New(start)
	x.Width = 10 * time.Second
	for range 5 {
		x.Request(at(3), true)
	}
	require.Contains(t, x.String(), "answered  █  0.5/s\n")
	require.Contains(t, x.String(), "lost         0/s\n")
	require.Contains(t, x.String(), "10s a letter, 10s in all\n")
}
