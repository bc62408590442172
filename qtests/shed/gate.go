package shed

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// DefaultName is the name of a Gate without one.
const DefaultName = "gate"

// A Config describes a Gate.
type Config struct {
	// Name is the label of the metrics. Default "gate".
	Name string
	// Clock is the only source of time. Default: the real clock.
	Clock clock.Clock
	// Limit is how many requests are admitted at once. Needed.
	Limit Limit
	Queue Queue
	// Classes have queues of their own. Default: one.
	Classes []Class
	// Classify returns the class of a request. A name that no class has is the last class of the lowest priority. Default: that one always.
	Classify func(*http.Request) string
	// Dropped says that an answer is a sign of overload behind this gate, for limits that learn. Default: the statuses 429, 503 and 504.
	Dropped func(status int) bool
}

// Counts say what became of requests. Offered = Admitted + Refused + GivenUp + Waiting, and Admitted = Served + Dropped + Cancelled +
// those in flight, always.
type Counts struct {
	Offered, Admitted, GivenUp uint64
	Refused                    uint64 // the sum of Why
	// Served, Dropped and Cancelled are how permits ended: Done(false), Done(true), Cancel.
	Served, Dropped, Cancelled uint64
	Waiting                    int
	Why                        map[Reason]uint64
}

// ended is how many requests are over.
func (c Counts) ended() uint64 { return c.Served + c.Dropped + c.Cancelled + c.Refused + c.GivenUp }

// Goodput is Served as a share of the requests that have ended: all but those that wait or are in flight. It is 1 where none has.
func (c Counts) Goodput() float64 {
	if c.ended() == 0 {
		return 1
	}
	return float64(c.Served) / float64(c.ended())
}

// Stats are a Gate at one instant.
type Stats struct {
	Counts
	Limit, InFlight int
	Classes         map[string]Counts
}

// A Gate admits or refuses requests. All methods are safe for concurrent use.
type Gate struct {
	cfg   Config
	state guard.Value[state]
}

type state struct {
	inFlight int
	classes  classes
}

// New returns a Gate, or an error that names what is wrong with cfg.
func New(cfg Config) (*Gate, error) {
	c := field.Check("shed: Config")
	c.That(cfg.Limit != nil, "Limit", "nil", "is no limit")
	if cfg.Limit != nil {
		c.Err("Limit", cfg.Limit.Check())
	}
	cfg.Queue.check(c)
	checkClasses(c, cfg.Classes)
	c.That(cfg.Classify == nil || len(cfg.Classes) > 0, "Classify", "func", "is set, but Classes is not")
	if err := c.Result(); err != nil {
		return nil, err
	}
	cfg.Name, cfg.Queue = cmp.Or(cfg.Name, DefaultName), cfg.Queue.withDefaults()
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	if cfg.Classify == nil {
		cfg.Classify = func(*http.Request) string { return "" }
	}
	if cfg.Dropped == nil {
		cfg.Dropped = func(status int) bool { return status == 429 || status == 503 || status == 504 }
	}
	g := &Gate{cfg: cfg}
	g.state.Do(func(s *state) { s.classes = newClasses(cfg.Classes, cfg.Queue) })
	return g, nil
}

// A Permit is an admitted request, until Done.
type Permit struct {
	gate  *Gate
	class *class
	began time.Time
	done  bool
}

// Acquire admits a request of a class, now or after waiting. It fails with a [*RefusedError], or with the error of ctx.
func (g *Gate) Acquire(ctx context.Context, class string) (*Permit, error) {
	now := g.cfg.Clock.Now()
	var w *waiter
	var admitted *Permit
	var err error
	var wakes []func()
	g.state.Do(func(s *state) {
		c := s.classes.named(class)
		w, wakes, err = g.offer(s, now, c)
		if w == nil && err == nil {
			admitted = &Permit{gate: g, class: c, began: now}
		}
	})
	bubble.InTurn(g.cfg.Clock, wakes...)
	if w == nil {
		return admitted, err
	}
	return g.wait(ctx, w)
}

// offer admits a request at once, refuses it, or lets it wait.
func (g *Gate) offer(s *state, now time.Time, c *class) (w *waiter, wakes []func(), err error) {
	c.stats.Offered++
	if s.inFlight < g.cfg.Limit.Limit() && s.classes.waiting == 0 {
		s.inFlight++
		c.stats.Admitted++
		s.classes.charge(c)
		return nil, nil, nil
	}
	switch {
	case g.cfg.Queue.Max == 0:
		return nil, nil, g.refuse(c, OverLimit)
	case s.classes.waiting >= g.cfg.Queue.Max:
		victim := s.classes.displaced(c)
		if victim == nil {
			return nil, nil, g.refuse(c, QueueFull)
		}
		s.classes.leave(victim)
		wakes = append(wakes, g.tell(victim, g.refuse(victim.class, Displaced)))
	}
	w = &waiter{class: c, since: now, turn: make(chan error, 1)}
	s.classes.join(w)
	return w, wakes, nil
}

func (g *Gate) refuse(c *class, why Reason) error {
	c.stats.Refused++
	if c.stats.Why == nil {
		c.stats.Why = map[Reason]uint64{}
	}
	c.stats.Why[why]++
	e := &RefusedError{Gate: g.cfg.Name, Reason: why}
	if len(g.cfg.Classes) > 0 {
		e.Class = c.Name
	}
	return e
}

// tell returns what lets a waiter go on.
func (g *Gate) tell(w *waiter, err error) func() {
	w.told = true
	return func() { w.turn <- err }
}

// wait waits for the turn of w.
func (g *Gate) wait(ctx context.Context, w *waiter) (*Permit, error) {
	late := context.Background()
	if d := g.cfg.Queue.Timeout; d > 0 {
		limited, cancel := g.cfg.Clock.WithTimeout(late, d)
		defer cancel()
		late = limited
	}
	select {
	case err := <-w.turn:
		return g.permit(w, err)
	case <-ctx.Done():
		return g.leave(w, func() error { w.class.stats.GivenUp++; return context.Cause(ctx) })
	case <-late.Done():
		return g.leave(w, func() error { return g.refuse(w.class, WaitedTooLong) })
	}
}

func (g *Gate) permit(w *waiter, err error) (*Permit, error) {
	if err != nil {
		return nil, err
	}
	return &Permit{gate: g, class: w.class, began: g.cfg.Clock.Now()}, nil
}

// leave takes a waiter out that waits no longer. If it was told just then, what it was told counts.
func (g *Gate) leave(w *waiter, why func() error) (*Permit, error) {
	var err error
	told := false
	g.state.Do(func(s *state) {
		if told = w.told; !told {
			s.classes.leave(w)
			err = why()
		}
	})
	if told {
		return g.permit(w, <-w.turn)
	}
	return nil, err
}

// Done ends the request. dropped says that what is behind the gate was overloaded. A second call panics.
func (p *Permit) Done(dropped bool) { p.end(dropped, true) }

// Cancel ends a request that says nothing about the latency, such as one that its client has left. A second call panics.
func (p *Permit) Cancel() { p.end(false, false) }

func (p *Permit) end(dropped, learn bool) {
	g := p.gate
	now := g.cfg.Clock.Now()
	var wakes []func()
	again := false
	g.state.Do(func(s *state) {
		if again = p.done; again {
			return
		}
		p.done = true
		switch {
		case !learn:
			p.class.stats.Cancelled++
		case dropped:
			p.class.stats.Dropped++
		default:
			p.class.stats.Served++
		}
		if learn {
			g.cfg.Limit.Sample(Sample{At: now, Latency: now.Sub(p.began), InFlight: s.inFlight, Dropped: dropped})
		}
		s.inFlight--
		wakes = g.admit(s, now)
	})
	if again {
		panic("shed: Permit: ended twice")
	}
	bubble.InTurn(g.cfg.Clock, wakes...)
}

// admit lets as many go on as the limit has room for.
func (g *Gate) admit(s *state, now time.Time) (wakes []func()) {
	for s.inFlight < g.cfg.Limit.Limit() {
		c := s.classes.best()
		if c == nil {
			return wakes
		}
		before := len(c.line.waiting)
		next, refused := c.line.next(now)
		s.classes.waiting -= before - len(c.line.waiting)
		for _, w := range refused {
			wakes = append(wakes, g.tell(w, g.refuse(c, WaitedTooLong)))
		}
		if next != nil {
			s.inFlight++
			c.stats.Admitted++
			s.classes.charge(c)
			wakes = append(wakes, g.tell(next, nil))
		}
	}
	return wakes
}

// Stats returns what became of all requests so far.
func (g *Gate) Stats() (x Stats) {
	x.Classes, x.Why = map[string]Counts{}, map[Reason]uint64{}
	g.state.Do(func(s *state) {
		x.Limit, x.InFlight = g.cfg.Limit.Limit(), s.inFlight
		for _, c := range s.classes.all {
			k := c.stats
			k.Waiting, k.Why = len(c.line.waiting), maps.Clone(k.Why)
			x.Classes[c.Name] = k
			x.add(k)
		}
	})
	return x
}

func (x *Stats) add(k Counts) {
	x.Offered += k.Offered
	x.Admitted += k.Admitted
	x.Refused += k.Refused
	x.Served += k.Served
	x.Dropped += k.Dropped
	x.Cancelled += k.Cancelled
	x.GivenUp += k.GivenUp
	x.Waiting += k.Waiting
	for why, n := range k.Why {
		x.Why[why] += n
	}
}
