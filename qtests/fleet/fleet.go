package fleet

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/fleet/internal/timeline"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
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
	deploys   deployments
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
	record    scale.Record   // of wanted
	decision  scale.Decision // of the autoscaler, the last
	timeline  timeline.Timeline
	said      map[string]bool // what is said once
	told      int             // ejections
	serving   int             // handlers that run
	idle      chan struct{}   // closed when none does; nil: nobody waits for that
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

// wake lets the one go on that waits for p to be closed.
func (s *state) wake(p chan struct{}) {
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
