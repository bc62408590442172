package shed

import (
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Defaults of a [Queue].
const (
	DefaultTarget   = 5 * time.Millisecond
	DefaultInterval = 100 * time.Millisecond
)

// A Queue is where requests wait that find the limit used up. The zero Queue has no place.
type Queue struct {
	Max int // places, of all classes together
	// Timeout is how long one may wait. Zero: no limit.
	Timeout time.Duration
	// CoDel and AdaptiveLIFO refuse who waits too long: see "Queues" in the package doc. Not both.
	CoDel, AdaptiveLIFO bool
	Target, Interval    time.Duration // 5 ms and 100 ms
}

func (q Queue) check(c *field.Checker) {
	c.Count("Queue.Max", q.Max)
	c.Duration("Queue.Timeout", q.Timeout)
	c.That(!q.CoDel || !q.AdaptiveLIFO, "Queue.CoDel", q.CoDel, "contradicts AdaptiveLIFO")
	c.Duration("Queue.Target", q.Target)
	c.Duration("Queue.Interval", q.Interval)
	controlled := q.CoDel || q.AdaptiveLIFO
	c.That(controlled || q.Target == 0, "Queue.Target", q.Target, "is set, but neither CoDel nor AdaptiveLIFO is")
	c.That(controlled || q.Interval == 0, "Queue.Interval", q.Interval, "is set, but neither CoDel nor AdaptiveLIFO is")
	c.That(q.Max != 0 || q == Queue{}, "Queue.Max", q.Max, "gives no place, and something else is set")
}

func (q Queue) withDefaults() Queue {
	q.Target, q.Interval = or(q.Target, DefaultTarget), or(q.Interval, DefaultInterval)
	return q
}

// A waiter is a request that waits.
type waiter struct {
	class *class
	since time.Time
	turn  chan error // buffered; nil when it is admitted
	told  bool
}

// line is the queue of one class.
type line struct {
	cfg     Queue
	waiting []*waiter
	empty   time.Time // when it was empty last
	codel   codel
}

func (l *line) push(w *waiter) {
	if len(l.waiting) == 0 {
		l.empty = w.since
	}
	l.waiting = append(l.waiting, w)
}

func (l *line) remove(w *waiter) bool {
	for i, x := range l.waiting {
		if x == w {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return true
		}
	}
	return false
}

func (l *line) pop(newest bool) *waiter {
	i := 0
	if newest {
		i = len(l.waiting) - 1
	}
	w := l.waiting[i]
	l.remove(w)
	return w
}

// next returns who is admitted now, or nil, and who is refused on the way.
func (l *line) next(now time.Time) (admit *waiter, refuse []*waiter) {
	switch {
	case len(l.waiting) == 0:
		return nil, nil
	case l.cfg.CoDel:
		return l.controlled(now)
	case l.cfg.AdaptiveLIFO:
		overloaded := now.Sub(l.empty) > l.cfg.Interval
		most := l.cfg.Interval
		if overloaded {
			most = l.cfg.Target
		}
		for len(l.waiting) > 0 && now.Sub(l.waiting[0].since) > most {
			refuse = append(refuse, l.pop(false))
		}
		if len(l.waiting) == 0 {
			return nil, refuse
		}
		return l.pop(overloaded), refuse
	}
	return l.pop(false), nil
}

// codel is the state of RFC 8289, section 5.
type codel struct {
	above    time.Time // when the sojourn time will have been above the target for an interval; zero: it is not
	dropping bool
	dropNext time.Time
	count    int
	last     int
}

// law is the control law.
func (c *codel) law(from time.Time, interval time.Duration) time.Time {
	return from.Add(time.Duration(float64(interval) / math.Sqrt(float64(c.count))))
}

// dequeue is dodequeue of the RFC.
func (l *line) dequeue(now time.Time) (w *waiter, drop bool) {
	if len(l.waiting) == 0 {
		l.codel.above = time.Time{}
		return nil, false
	}
	w = l.pop(false)
	switch {
	case now.Sub(w.since) < l.cfg.Target || len(l.waiting) == 0:
		l.codel.above = time.Time{}
	case l.codel.above.IsZero():
		l.codel.above = now.Add(l.cfg.Interval)
	case !now.Before(l.codel.above):
		drop = true
	}
	return w, drop
}

// controlled is dequeue of the RFC.
func (l *line) controlled(now time.Time) (w *waiter, refuse []*waiter) {
	c := &l.codel
	w, drop := l.dequeue(now)
	switch {
	case c.dropping && !drop:
		c.dropping = false
	case c.dropping:
		for c.dropping && !now.Before(c.dropNext) {
			refuse = append(refuse, w)
			c.count++
			if w, drop = l.dequeue(now); !drop {
				c.dropping = false
			} else {
				c.dropNext = c.law(c.dropNext, l.cfg.Interval)
			}
		}
	case drop:
		refuse = append(refuse, w)
		w, _ = l.dequeue(now)
		c.dropping = true
		delta := c.count - c.last
		c.count = 1
		if delta > 1 && now.Sub(c.dropNext) < 16*l.cfg.Interval {
			c.count = delta
		}
		c.dropNext = c.law(now, l.cfg.Interval)
		c.last = c.count
	}
	return w, refuse
}
