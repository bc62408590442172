package pool

import "fmt"

// check returns the first invariant that does not hold. Its cost is linear in
// the number of entries and waiters; model and chaos tests call it after every
// operation.
func (c *core) check() error {
	idle, inUse, checking := 0, 0, 0
	for i, e := range c.all {
		if e.index != i {
			return fmt.Errorf("entry %d is at %d and says %d", e.id, i, e.index)
		}
		if leased := e.lease.Load()%2 == 1; leased != (e.state == stateInUse) {
			return fmt.Errorf("entry %d: state %d with lease number %d", e.id, e.state, e.lease.Load())
		}
		switch e.state {
		case stateIdle:
			idle++
		case stateInUse:
			inUse++
		case stateCheck:
			checking++
		case stateGone:
			return fmt.Errorf("entry %d is gone and still listed", e.id)
		}
	}
	making, checks := 0, 0
	for _, b := range c.builds {
		if b.counted {
			making++
		}
		if b.entry != nil {
			checks++
		}
	}
	queued := 0
	for w := c.waiters.head; w != nil; w = w.next {
		queued++
	}
	switch {
	case idle != c.idle.n, inUse != c.inUse, checking != checks, making != c.making, queued != c.waiters.n:
		return fmt.Errorf("counted idle %d, in use %d, checking %d, making %d, waiting %d; kept %d, %d, %d, %d, %d",
			idle, inUse, checking, making, queued, c.idle.n, c.inUse, checks, c.making, c.waiters.n)
	case c.total() > max(c.max, c.inUse):
		return fmt.Errorf("total %d is more than max(Max %d, in use %d)", c.total(), c.max, c.inUse)
	case c.waiters.n > c.making && c.idle.n > 0 && !c.suspended:
		return fmt.Errorf("%d waiters, %d of them promised a resource, beside %d idle", c.waiters.n, c.making, c.idle.n)
	case c.maxIdle > 0 && c.idle.n > c.maxIdle && c.total() > c.min:
		return fmt.Errorf("%d idle of %d, more than MaxIdle %d", c.idle.n, c.total(), c.maxIdle)
	case c.closed && (c.waiters.n > 0 || c.idle.n > 0 || len(c.builds) > 0):
		return fmt.Errorf("closed with %d waiters, %d idle, %d builds", c.waiters.n, c.idle.n, len(c.builds))
	}
	return nil
}
