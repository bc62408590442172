package search

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// TestPartsOfASearchAgree: every part comes to the answer that one process comes to, and between them
// they run each trial about once: what one has told, another does not run.
func TestPartsOfASearchAgree(t *testing.T) {
	levels, err := Levels{Low: 10, High: 1000, Runs: 6}.withDefaults()
	require.NoError(t, err)
	calls := 0
	find := func(book ledger) (a Answer) {
		qtests.Run(t, func(q *qtests.T) {
			b := newBisection(q, book, levels, func(rate float64) load.Scenario {
				calls++
				return load.Scenario{Traffic: traffic.Rate(rate).For(2 * time.Second).Poisson(), MaxInFlight: 2, Overflow: load.Queue, Do: serve(10 * time.Millisecond),
					Thresholds: []string{"p(90)<80ms"}}
			})
			require.NoError(q, b.run())
			a = b.answer
		})
		return a
	}
	alone := find(ledger{})
	single := calls
	dir := t.TempDir()
	for i := 1; i <= 3; i++ {
		calls = 0
		a := find(ledger{share.Room{Share: share.Share{Index: i, Of: 3}, Dir: dir}, true})
		require.Equal(t, alone.String(), a.String(), "part %d", i)
		if i > 1 {
			require.Less(t, calls, single/2, "what part 1 has told is not run again")
		}
	}
	require.Positive(t, single)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), len(alone.Trials))

	// What cannot be read is run.
	for _, f := range files {
		require.NoError(t, os.WriteFile(dir+"/"+f.Name(), []byte("{"), 0o666))
	}
	require.Equal(t, alone.String(), find(ledger{share.Room{Share: share.Share{Index: 2, Of: 3}, Dir: dir}, true}).String())
}

// TestPartBeginsWithItsOwn: nobody has told anything yet.
func TestPartBeginsWithItsOwn(t *testing.T) {
	dir, order := t.TempDir(), []string{}
	d := Disturbances{Sizes: []float64{1, 2, 3, 4, 5}, Share: 0.95}
	at := func(size float64) (load.Scenario, event.Event) {
		order = append(order, fmt.Sprint(size))
		var down atomic.Bool
		outage := event.New("outage", func() { down.Store(true) }, func() { down.Store(false) }).At(5 * time.Second).For(time.Duration(size) * time.Second)
		return load.Scenario{Traffic: traffic.Rate(10).For(time.Minute), Do: whileDown(&down)}, outage
	}
	qtests.Run(t, func(q *qtests.T) {
		s := &recovering{d, q, ledger{share.Room{Share: share.Share{Index: 2, Of: 3}, Dir: dir}, true}, at}
		s.ahead()
		require.Equal(q, []string{"2", "5"}, order)
		for i, size := range d.Sizes {
			r, err := s.recovery(i)
			require.NoError(q, err)
			require.True(q, r.Recovered)
			require.Equal(q, size, r.Size)
		}
		require.Equal(q, []string{"2", "5", "1", "3", "4"}, order)
	})
	require.False(t, ledger{}.own(0))
}
