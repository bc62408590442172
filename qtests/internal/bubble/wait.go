package bubble

import (
	"sync"
	"time"
)

// A turn is the place of a caller of [qtests.T.Wait] in the queue of them; it is closed
// when the caller is the first.
type turn chan struct{}

// Turns is the queue of those who wait for the present instant to be over. The
// runtime lets only one goroutine of a bubble wait for the others to come to
// rest; the next one begins when that one goes on, and so waits for it as well.
type Turns struct {
	// settle waits until the others have come to rest. It is called by one goroutine at a
	// time, whose turn it is.
	settle func()

	mu    sync.Mutex
	queue []turn // the first is closed
}

func NewTurns(settle func()) *Turns { return &Turns{settle: settle} }

// enter appends to the queue.
func (t *Turns) enter(some ...turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, some...)
	if len(t.queue) == len(some) {
		close(t.queue[0])
	}
}

// leave lets the second in the queue be the first.
func (t *Turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = t.queue[1:]
	if len(t.queue) > 0 {
		close(t.queue[0])
	}
}

func (c *tieFree) Rest(t *Turns) {
	mine := make(turn)
	t.enter(mine)
	c.finishInstant(t, mine, 0)
}

func (c *tieFree) SleepToRest(t *Turns, d time.Duration) {
	mine := make(turn)
	taken, behind, first := c.joinSleepers(d, mine)
	if first {
		time.Sleep(time.Duration(taken.raw - time.Now().UnixNano()))
		t.enter(c.wakeSleepers(taken)...)
	}
	c.finishInstant(t, mine, behind)
}

// finishInstant waits for the caller's turn, and lets time move to the end of the
// present nominal instant, which is at least behind its raw one.
func (c *tieFree) finishInstant(t *Turns, mine turn, behind int64) {
	<-mine
	defer t.leave()
	for {
		t.settle()
		left := c.instantLeft(behind)
		if left == 0 {
			return
		}
		time.Sleep(left)
	}
}

// joinSleepers appends to those who sleep until d from now. The first of them takes
// an instant to wake them all at, in the order of the calls; for the others it is
// too late to wait for another one. behind is how far the caller is displaced: what
// it began on package time counts from there.
func (c *tieFree) joinSleepers(d time.Duration, mine turn) (taken claim, behind int64, first bool) {
	c.Rests.call()
	now := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	nominal := saturatingAdd(c.nominalLocked(now), d)
	behind = now - c.mu.latest
	c.Moves.Add(1)
	c.Trace.wait(c.mu.latest, nominal)
	all, joined := c.mu.sleepers[nominal]
	c.mu.sleepers[nominal] = append(all, mine)
	if joined {
		return claim{}, behind, false
	}
	return claim{c.mu.claims.takeAny(now, nominal), nominal}, behind, true
}

// wakeSleepers returns who sleeps until the claim's instant, which is now.
func (c *tieFree) wakeSleepers(taken claim) []turn {
	c.fired(taken)
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.mu.sleepers[taken.nominal]
	delete(c.mu.sleepers, taken.nominal)
	return all
}

// instantLeft returns how long package time has to wait for the end of the present
// nominal instant, for somebody who was displaced by behind when he began to wait
// for it. An instant between two microseconds is one at which a test looks closely:
// it ends for him alone, and not for others who were displaced farther.
func (c *tieFree) instantLeft(behind int64) time.Duration {
	now := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	nominal := c.nominalLocked(now)
	if nominal%microsecond == 0 {
		behind = max(behind, c.mu.reach)
	}
	return time.Duration(c.mu.claims.end(now, nominal, behind) - now)
}
