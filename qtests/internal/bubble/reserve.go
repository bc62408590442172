package bubble

import (
	"time"

	"github.com/benbjohnson/clock"
)

// A Reservation is qtests.Reservation.
type Reservation struct {
	clk   clock.Clock
	taken claim // on a clock that is not tie-free: twice the same, in nanoseconds since epoch
}

// epoch is what instants of clocks that are not tie-free count from; it keeps the
// monotonic reading that a time in nanoseconds since 1970 loses.
var epoch = time.Now()

// Reserve takes the place of a wait of d from now, as qtests.Reserve does.
func Reserve(clk clock.Clock, d time.Duration) Reservation {
	if c, ok := clk.(Clock); ok {
		return Reservation{clk, c.reserve(d)}
	}
	at := saturatingAdd(int64(clk.Now().Sub(epoch)), max(d, 0))
	return Reservation{clk, claim{at, at}}
}

// left is how long a clock that is not a bubble's has to wait. It is never negative: a clock.Mock would turn back.
func (r Reservation) left() time.Duration {
	return max(0, time.Duration(r.taken.raw)-r.clk.Now().Sub(epoch))
}

// Sleep waits for the reserved instant and returns the time that it then is. If
// the instant has passed, it returns at once.
func (r Reservation) Sleep() time.Time {
	if c, ok := r.clk.(Clock); ok {
		r.Await()
		return time.Unix(0, c.pass(r.taken))
	}
	r.clk.Sleep(r.left())
	return r.clk.Now()
}

// AfterFunc calls f in a goroutine of its own at the reserved instant, or at once
// if that has passed.
func (r Reservation) AfterFunc(f func()) {
	if c, ok := r.clk.(Clock); ok {
		c.callAwaited(r.taken, func() {
			c.pass(r.taken)
			f()
		})
		return
	}
	r.clk.AfterFunc(r.left(), f)
}

// Await is Sleep, and keeps the place until Pass or Trade.
func (r Reservation) Await() {
	if c, ok := r.clk.(Clock); ok {
		c.await(r.taken)
		return
	}
	r.clk.Sleep(r.left())
}

// CallAwaited is AfterFunc, and keeps the place until f calls Pass or Trade.
func (r Reservation) CallAwaited(f func()) {
	if c, ok := r.clk.(Clock); ok {
		c.callAwaited(r.taken, f)
		return
	}
	r.clk.AfterFunc(r.left(), f)
}

// Pass gives the place back, whose instant has come, and returns how much time has passed since start.
func (r Reservation) Pass(start time.Time) (now time.Duration) {
	if c, ok := r.clk.(Clock); ok {
		return time.Duration(c.pass(r.taken) - start.UnixNano())
	}
	return r.clk.Since(start)
}

// Trade is Pass, and takes the place of a wait until at, counted from start. It locks the clock once, where Sleep and
// Reserve do it twice.
func (r Reservation) Trade(start time.Time, at time.Duration) (now time.Duration, next Reservation) {
	if c, ok := r.clk.(Clock); ok {
		began := start.UnixNano()
		nominal, taken := c.trade(r.taken, saturatingAdd(began, at))
		return time.Duration(nominal - began), Reservation{r.clk, taken}
	}
	t := r.clk.Now()
	now = t.Sub(start)
	due := saturatingAdd(int64(t.Sub(epoch)), max(at-now, 0))
	return now, Reservation{r.clk, claim{due, due}}
}

// Release gives the place back.
func (r Reservation) Release() {
	if c, ok := r.clk.(Clock); ok {
		c.abandon(r.taken)
	}
}

func (c *tieFree) reserve(d time.Duration) claim {
	taken, _ := c.claim(d, false)
	return taken
}

func (c *tieFree) await(taken claim) {
	if left := time.Duration(taken.raw - time.Now().UnixNano()); left > 0 {
		c.stood.Add(1)
		time.Sleep(left)
		c.stood.Add(-1)
	}
}

func (c *tieFree) callAwaited(taken claim, f func()) {
	left := time.Duration(taken.raw - time.Now().UnixNano())
	if left <= 0 {
		c.afterFunc(0, f)
		return
	}
	time.AfterFunc(left, f)
}
