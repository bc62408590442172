package fleet

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/fleet/internal/queue"
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
	hooks    []func() // at the end
	terms    []func() // at SIGTERM
	terming  int      // of them that run

	ended    bool // the process does not exist any more
	closed   bool // it accepts nothing new
	cpu      queue.CPU
	slots    queue.Slots
	requests uint64 // that came in
	attempts underWayList
	conns    underWayList
	sampled  sampled // by the autoscaler
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
		cpu:   queue.NewCPU(c.Processors), slots: queue.NewSlots(c.Concurrency, c.MaxQueue),
		live: prober{well: true}, healthy: prober{well: true},
	}
}

// underWay is an attempt or a connection at a process. It breaks off when the process ends.
type underWay struct {
	cancel        context.CancelCauseFunc
	before, after *underWay
}

// underWayList is a list in the order in which they began.
type underWayList struct {
	first, last *underWay
	n           int
}

func (l *underWayList) add(u *underWay) {
	l.n++
	u.before = l.last
	if l.last == nil {
		l.first = u
	} else {
		l.last.after = u
	}
	l.last = u
}

func (l *underWayList) remove(u *underWay) {
	l.n--
	if u.before == nil {
		l.first = u.after
	} else {
		u.before.after = u.after
	}
	if u.after == nil {
		l.last = u.before
	} else {
		u.after.before = u.before
	}
	u.before, u.after = nil, nil
}

func (l *underWayList) all() (all []*underWay) {
	for u := l.first; u != nil; u = u.after {
		all = append(all, u)
	}
	return all
}

// sampled is what an autoscaler read of a process last.
type sampled struct {
	at       time.Time
	cpu      time.Duration
	requests uint64
}
