package bubble

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstantHeapModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	var h instantHeap
	var sorted []int64
	for range 5000 {
		if r.IntN(5) < 3 {
			x := r.Int64N(1000)
			h.push(x)
			at, _ := slices.BinarySearch(sorted, x)
			sorted = slices.Insert(sorted, at, x)
		} else if len(sorted) > 0 {
			require.Equal(t, sorted[0], h.pop())
			sorted = sorted[1:]
		}
		require.Len(t, h.at, len(sorted))
	}
}

// TestTurnWaits: a wait that lapses is pending up to its instant, unless it is given back before.
func TestTurnWaits(t *testing.T) {
	var w turnWaits
	w.begin()
	w.beginLapsing(10)
	w.beginLapsing(20)
	w.beginLapsing(20)
	require.Equal(t, 4, w.pending(5))
	w.giveBack(5, 20)
	require.Equal(t, 3, w.pending(5))
	require.Equal(t, 3, w.pending(10), "at its instant it has not ended")
	require.Equal(t, 2, w.pending(11))
	w.giveBack(11, 10)
	require.Equal(t, 2, w.pending(11), "it has lapsed")
	require.Equal(t, 1, w.pending(21))
	w.beginLapsing(30)
	w.giveBack(30, 30)
	require.Equal(t, 1, w.pending(30))
	require.Equal(t, 1, w.pending(31), "not twice")
	w.end()
	require.Zero(t, w.pending(31))
	require.EqualValues(t, 5, w.begun())
	w.stand(1)
	w.stand(1)
	w.stand(-1)
	require.EqualValues(t, 1, w.standing())
}
