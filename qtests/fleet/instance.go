package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests"
)

// A Phase is where an instance stands.
type Phase int

// The phases.
const (
	Starting Phase = iota // its process exists and does not listen yet
	Running
	Crashed  // its process has ended, and another will start
	Stopping // it was told to end
	Stopped  // it is gone
)

func (p Phase) String() string {
	return [...]string{"starting", "running", "crashed", "stopping", "stopped"}[p]
}

// An Instance is one of a fleet. It keeps its name when its process crashes and starts again. All
// methods are safe for concurrent use.
type Instance struct {
	fleet   *Fleet
	name    string
	zone    string
	number  int
	release *Release

	// The rest belongs to the lock of the fleet.
	phase   Phase
	ready   bool
	since   time.Time // of ready
	lost    bool      // with its zone
	hung    bool
	slow    float64 // 1: not
	starts  int
	crashes int       // in a row, for the back-off
	process *process  // the present one, or the last
	created time.Time // of the instance
	counts  Counts
	why     map[reason]uint64
	links   map[string]*Link
	gates   []chan struct{} // requests that wait for the end of a hang
	leaving bool            // it was told to stop
	evicted bool            // from the list of those that are gone
}

// Name is NAME-1, NAME-2, …, and never used again.
func (i *Instance) Name() string { return i.name }

// Zone is where the instance is, or "".
func (i *Instance) Zone() string { return i.zone }

// Version is the version of its release.
func (i *Instance) Version() string { return i.release.Version }

// Clock is the clock of the test.
func (i *Instance) Clock() clock.Clock { return i.fleet.clk }

// Starts is how often its process has started.
func (i *Instance) Starts() (n int) {
	i.fleet.read(func(*state) { n = i.starts })
	return n
}

// Phase is where the instance stands now.
func (i *Instance) Phase() (p Phase) {
	i.fleet.read(func(*state) { p = i.phase })
	return p
}

// Ready reports whether the instance is ready now. The balancer knows later: see Life.EndpointLag.
func (i *Instance) Ready() (ready bool) {
	i.fleet.read(func(*state) { ready = i.ready })
	return ready
}

// current is the process that runs, or ran last.
func (i *Instance) current() (p *process) {
	i.fleet.read(func(*state) { p = i.process })
	return p
}

// Context ends when the present process ends. What New starts has to end with it.
func (i *Instance) Context() context.Context { return i.current().ctx }

// Registry is where the present process registers its metrics. [Fleet.Gatherer] gathers it, with the labels
// instance, zone and version.
func (i *Instance) Registry() *prometheus.Registry { return i.current().registry }

// OnStop has f called when the present process has ended, in the reverse order of the calls.
func (i *Instance) OnStop(f func()) {
	p := i.current()
	i.fleet.read(func(*state) { p.hooks = append(p.hooks, f) })
}

// OnTerm has f called when the present process is told to end (SIGTERM), in a goroutine of its own: what serves on the Listener ends
// gracefully there, as with grpc.Server.GracefulStop. The process goes on until f returns, or Grace is over. The handler that New
// returns needs nothing.
func (i *Instance) OnTerm(f func()) {
	p := i.current()
	i.fleet.read(func(*state) { p.terms = append(p.terms, f) })
}

// Listener is where the present process serves what is no net/http, such as gRPC. Connections of
// [Fleet.Dialer] come there. It is closed when the process stops to accept connections.
func (i *Instance) Listener() *qtests.Listener {
	p := i.current()
	var l *qtests.Listener
	i.fleet.read(func(*state) {
		if p.listener == nil {
			p.listener = qtests.Listen(i.fleet.clk, i.name+":80")
			p.own = true
		}
		l = p.listener
	})
	return l
}

// Rand returns a generator at the start of the stream of this name, instance and start. It is for one goroutine.
func (i *Instance) Rand(name string) *rand.Rand {
	return i.fleet.q.Stream(fmt.Sprintf("fleet %s %d %s", i.name, i.Starts(), name)).Rand()
}

func (i *Instance) String() string { return i.name }

// serves reports whether the process accepts connections.
func (i *Instance) serves() bool {
	return !i.lost && (i.phase == Running || i.phase == Stopping && !i.process.closed)
}
