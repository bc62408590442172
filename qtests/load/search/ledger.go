package search

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A ledger is what the parts of a search under a fake clock tell each other: how each run came out.
// Runs are dealt by index. Each part begins with its own, takes what others have found, and runs
// itself what nobody has told yet. So no part waits for another, all come to the same answer, and one
// that dies costs time only. Without other parts a ledger is empty and stays so.
type ledger struct {
	room share.Room
	on   bool
}

// openLedger opens the ledger of a search. Its kind is capacity or recovers.
func openLedger(t tb.TB, kind string) (ledger, error) {
	t.Helper()
	s := share.Current()
	if s.Whole() || share.Results() == "" || !bubble.TieFree(tb.ClockOf(t)) {
		return ledger{}, nil
	}
	room, err := s.Open(share.Results(), t.Name(), kind)
	return ledger{room, true}, err
}

// own reports whether run i, from 0, is for this part to begin with.
func (l ledger) own(i int) bool { return l.on && l.room.Takes(int64(i)+1) }

// file is the name of the file of run i at a level.
func (l ledger) file(level float64, i int) string {
	return fmt.Sprintf("%s/run-%x-%d.json", l.room.Dir, math.Float64bits(level), i)
}

// read gets what a part has told of a run, and reports whether one has.
func (l ledger) read(level float64, i int, into any) bool {
	if !l.on {
		return false
	}
	text, err := os.ReadFile(l.file(level, i))
	return err == nil && json.Unmarshal(text, into) == nil
}

// write tells the others. That another part has told first is no error, because both know the same.
func (l ledger) write(level float64, i int, v any) error {
	if !l.on {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	file := l.file(level, i)
	if err := share.Write(file, text); err != nil {
		if _, there := os.Stat(file); there != nil {
			return err
		}
	}
	return nil
}
