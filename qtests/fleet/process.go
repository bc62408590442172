package fleet

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A process is one start of an instance. Its fields belong to the lock of the fleet, but for those
// that are set before it listens.
type process struct {
	inst      *Instance
	ctx       context.Context
	cancel    context.CancelFunc
	registry  *prometheus.Registry
	handler   http.Handler
	transport http.RoundTripper // to this process
	started   time.Time
	draws     tb.Stream // of processor time

	listener *qtests.Listener
	own      bool // the user serves on it
	server   *qtests.Server
	conns    []*conn
	hooks    []func()

	ended    bool // the process does not exist any more
	closed   bool // it accepts nothing new
	cpu      cpu
	slots    slots
	requests uint64      // that came in
	attempts attemptList // under way
	ready    prober
	live     prober
	healthy  prober
}

func newProcess(i *Instance, now time.Time) *process {
	ctx, cancel := context.WithCancel(context.Background())
	c := i.release.Capacity
	return &process{
		inst: i, ctx: ctx, cancel: cancel, registry: prometheus.NewRegistry(), started: now,
		draws: i.fleet.stream.Sub(fmt.Sprintf("%s %d", i.name, i.starts)),
		cpu:   newCPU(c.Processors), slots: slots{limit: c.Concurrency, queue: c.MaxQueue},
		live: prober{well: true}, healthy: prober{well: true},
	}
}

// attemptList is a list of attempts in the order in which they began.
type attemptList struct {
	first, last *attempt
	n           int
}

func (l *attemptList) add(a *attempt) {
	l.n++
	a.before = l.last
	if l.last == nil {
		l.first = a
	} else {
		l.last.after = a
	}
	l.last = a
}

func (l *attemptList) remove(a *attempt) {
	l.n--
	if a.before == nil {
		l.first = a.after
	} else {
		a.before.after = a.after
	}
	if a.after == nil {
		l.last = a.before
	} else {
		a.after.before = a.before
	}
	a.before, a.after = nil, nil
}

// all returns the attempts.
func (l *attemptList) all() (all []*attempt) {
	for a := l.first; a != nil; a = a.after {
		all = append(all, a)
	}
	return all
}
