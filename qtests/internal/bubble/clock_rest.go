package bubble

import (
	"time"

	"github.com/go-qtests/qtests/qtests/internal/turns"
)

func (c *tieFree) Rest(t *turns.Queue) {
	t.Take()
	c.finishInstant(t, 0)
}

func (c *tieFree) SleepToRest(t *turns.Queue, d time.Duration) {
	mine := make(turns.Turn)
	taken, behind, first := c.joinSleepers(d, mine)
	if first {
		time.Sleep(time.Duration(taken.raw - time.Now().UnixNano()))
		t.Enter(c.wakeSleepers(taken)...)
	}
	<-mine
	c.finishInstant(t, behind)
}

// finishInstant lets time move to the end of the present nominal instant, which is at
// least behind its raw one, and ends the caller's turn.
func (c *tieFree) finishInstant(t *turns.Queue, behind int64) {
	defer t.Leave()
	for {
		t.Settle()
		left := c.instantLeft(behind)
		if left == 0 {
			return
		}
		time.Sleep(left)
	}
}
