package fleet

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A T is a test in a bubble: *qtests.T is one.
type T interface {
	tb.TB
	Clock() clock.Clock
	EventLog() *event.Log
	Stream(name string) tb.Stream
	Direct(handler http.Handler) *http.Client
	Serve(handler http.Handler) *qtests.Server
	Go(f func())
	Wait()
}

// A Fleet is a number of instances behind a balancer. All methods are safe for concurrent use.
type Fleet struct {
	q      T
	cfg    Config
	clk    clock.Clock
	log    *event.Log
	stream tb.Stream
	begun  time.Time
	client *http.Client

	// mu is never held while a goroutine waits, or while code of the user runs: see change.
	mu struct {
		sync.Mutex
		state
	}
}

// state is what changes in a Fleet.
type state struct {
	fleet     *Fleet
	effects   []func() // to be done when the lock is free, in order
	closed    bool
	serial    int
	wanted    int
	all       []*Instance // that are not gone, in the order in which they were made
	stable    *Release
	next      *Release // that is coming
	deploys   []*Deployment
	lostZones map[string]bool
	past      []*Instance          // that are gone, at most MaxPast
	older     Counts               // of those before
	endpoints map[string]*Instance // that the balancer knows, by name
	balancer  *route.Balancer
	budget    route.Budget
	counts    Counts
	why       map[reason]uint64
	attempts  Attempts
	calls     uint64
	conns     Counts
	scaling   scaling
	timeline  timeline
	said      map[string]bool // what is said once
	told      int             // ejections
	serving   int             // handlers that run
	idle      place           // closed when none does; nil: nobody waits for that
}

// NewT returns a fleet whose instances run. It closes when q ends, and fails q then if the counts do not
// add up. A cfg that is negative or contradictory fails q at once.
func NewT(q T, cfg Config) *Fleet {
	q.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		tb.Fatalf(q, "%v", err)
	}
	f := &Fleet{q: q, cfg: cfg, clk: q.Clock(), log: q.EventLog(), stream: q.Stream("fleet " + cfg.Name)}
	if cfg.Seed != 0 {
		f.stream = tb.NewStream(cfg.Seed, "fleet "+cfg.Name)
	}
	f.begun = f.clk.Now()
	s := &f.mu.state
	s.fleet, s.lostZones, s.why, s.endpoints = f, map[string]bool{}, map[reason]uint64{}, map[string]*Instance{}
	s.budget = cfg.Retry.Budget
	s.balancer, err = route.New(route.Config{
		Policy: cfg.Policy, Outliers: cfg.Outliers, PanicShare: cfg.PanicShare, NoPanic: cfg.NoPanic, Rand: f.stream.Sub("route").Rand(),
	})
	if err != nil {
		tb.Fatalf(q, "%v", err)
	}
	s.stable = &Release{Version: cfg.Version, New: cfg.New, Capacity: &cfg.Capacity, Life: &cfg.Life}
	s.wanted = cfg.Replicas
	s.timeline.begin(f.begun)
	f.client = &http.Client{Transport: &transport{fleet: f}}
	f.change(func(s *state) {
		s.reconcile(!cfg.ColdStart)
		s.scaling.record.Set(f.begun, s.wanted, false, "")
	})
	if d := s.balancer.Interval(); d > 0 {
		f.every(d, func() { f.change(func(s *state) { s.sweep() }) })
	}
	if cfg.Scaling.By != nil {
		f.every(cfg.Scaling.By.Every(), f.rescale)
	}
	q.Cleanup(f.close)
	return f
}

// read calls f with the state, and change does the effects of f as well, when the lock is free. Nothing else in
// this package locks.
func (f *Fleet) read(do func(s *state)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do(&f.mu.state)
}

func (f *Fleet) change(do func(s *state)) {
	var effects []func()
	f.read(func(s *state) {
		do(s)
		effects, s.effects = s.effects, nil
	})
	for _, effect := range effects {
		effect()
	}
}

// effect is done when the lock is free.
func (s *state) effect(do func()) { s.effects = append(s.effects, do) }

// wake lets the one go on that waits at a place.
func (s *state) wake(p place) {
	s.effect(func() { qtests.InTurn(s.fleet.clk, func() { close(p) }) })
}

// after calls do in d, in a goroutine of its own, unless the fleet is closed then.
func (f *Fleet) after(d time.Duration, do func()) {
	qtests.Reserve(f.clk, d).AfterFunc(func() {
		closed := false
		f.read(func(s *state) { closed = s.closed })
		if !closed {
			do()
		}
	})
}

// every calls do every d, until the fleet is closed.
func (f *Fleet) every(d time.Duration, do func()) {
	f.after(d, func() {
		do()
		f.every(d, do)
	})
}

// guard calls code of the user. A panic and a Goexit fail the test, and are an error.
func (f *Fleet) guard(what string, do func() error) (err error) {
	finished := make(chan struct{})
	go func() { // Goexit must not end the goroutine of the caller
		defer close(finished)
		usercode.Run(do, func(e error) { err = e })
	}()
	<-finished
	if p, ok := err.(*usercode.PanicError); ok {
		f.q.Errorf("fleet %s: %v\n%s", f.cfg.Name, usercode.Blame(what, err), p.Stack)
	} else if err == usercode.ErrGoexit {
		f.q.Errorf("fleet %s: %v", f.cfg.Name, usercode.Blame(what, err))
	}
	return err
}

// mark writes to the event log.
func (f *Fleet) mark(format string, args ...any) {
	f.log.Add(f.clk.Now(), "fleet "+f.cfg.Name, fmt.Sprintf(format, args...))
}

// Name returns the name of the fleet.
func (f *Fleet) Name() string { return f.cfg.Name }

// close ends all processes, and holds the counts together.
func (f *Fleet) close() {
	f.change(func(s *state) {
		s.closed = true
		for _, i := range s.all {
			if i.process != nil {
				s.end(i.process)
			}
		}
	})
	f.settle()
	if problem := f.unbalanced(); problem != "" {
		f.q.Errorf("fleet %s: the counts do not add up: %s", f.cfg.Name, problem)
	}
}

// lingers is how long the end of a fleet waits for handlers. One that goes on after that is reported as a leak.
const lingers = 10 * time.Second

// settle waits until no handler runs, and what follows has come to rest.
func (f *Fleet) settle() {
	f.q.Wait()
	var idle place
	f.read(func(s *state) {
		if s.serving > 0 {
			idle = make(place)
			s.idle = idle
		}
	})
	if idle == nil {
		return
	}
	ctx, cancel := f.clk.WithTimeout(context.Background(), lingers)
	defer cancel()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	f.q.Wait()
}
