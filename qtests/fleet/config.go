package fleet

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/fleet/scale"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/latency"
)

// Defaults of the zero fields of a [Config] and its parts.
const (
	DefaultName           = "fleet"
	DefaultVersion        = "v1"
	DefaultMaxQueue       = 1000
	DefaultContainer      = "app"
	DefaultGrace          = 30 * time.Second
	DefaultEndpointLag    = time.Second
	DefaultNodeNotice     = 40 * time.Second
	DefaultEviction       = 5 * time.Minute
	DefaultConnectTimeout = time.Second
)

// MaxReplicas is how many replicas a fleet may have.
const MaxReplicas = 10_000

// A Config describes a fleet. New is all that it needs.
type Config struct {
	// Name is the name of the fleet; instances are called NAME-1, NAME-2, … Default "fleet".
	Name string
	// Seed is where the draws of the fleet come from: routing, processor time, start-up, faults. Default: the seed of the test.
	Seed uint64
	// New returns the handler of an instance: the user's own. It is called once for every start of an
	// instance, so that nothing is shared that a new process would not have. It must not wait. It
	// may return nil where the instance serves on i.Listener() itself.
	New func(i *Instance) http.Handler
	// Version is what New makes. Default "v1".
	Version string
	// Replicas is how many instances there are at first. Default 1; NoReplicas makes it 0.
	Replicas   int
	NoReplicas bool
	// ColdStart lets the first instances start up as all others do. Without it they are ready when NewT returns.
	ColdStart bool
	// Zones are those of the instances: a new one goes to the zone with the fewest. Default: one, "".
	Zones []string

	Capacity Capacity
	Life     Life

	// Policy chooses the instance of a request. Default route.RoundRobin. One of your own is called under the lock of the fleet: it
	// must not call the fleet, nor wait.
	Policy route.Policy
	// Outliers ejects instances that fail; nil ejects none.
	Outliers *route.Outliers
	// Health is the active health check of the balancer. The zero Probe is none.
	Health Probe
	// PanicShare of the instances must be healthy, or health is ignored: see route.Config. NoPanic never ignores it.
	PanicShare float64
	NoPanic    bool
	// Key is what route.Hash sends by. Default: the path of the URL.
	Key func(*http.Request) string
	// ConnectTimeout is how long a client waits for an instance that is out of reach. Default 1 s.
	ConnectTimeout time.Duration

	Retry Retry
	Hedge Hedge

	// Scaling changes the number of replicas. The zero Scaling does not.
	Scaling Scaling

	// Wire serves over real net/http on connections in memory. Without it the client calls the
	// handlers as qtests.T.Direct does, which is faster.
	Wire bool
}

// Capacity is what one instance can do at once. The zero Capacity has no limit.
type Capacity struct {
	// Concurrency is how many requests are served at once. Zero: no limit.
	Concurrency int
	// MaxQueue is how many requests may wait for that; one more is refused with status 503. Default
	// 1000; NoQueue makes it 0.
	MaxQueue int
	NoQueue  bool
	// CPU is the processor time that a request takes, before the handler is called. Requests wait for a processor
	// in the order in which they came. Zero: none, and no metric cpu.
	CPU latency.Distribution
	// Processors is how many there are. Default 1.
	Processors int
	// CPURequest is what utilization is relative to, in processors. Default: Processors.
	CPURequest float64
	// Container is the name of the container that the processors are of, for metrics of the kind ContainerResource. Default "app".
	Container string
}

// Life is how an instance starts and ends, as a pod of Kubernetes does.
type Life struct {
	// StartUp is how long a new process takes until it listens; until then connections are refused. Zero: at once.
	StartUp latency.Distribution
	// Readiness says when an instance may get requests. Without it an instance counts as ready as soon
	// as its process exists, also while it does not listen yet, as in Kubernetes.
	Readiness Probe
	// Liveness restarts an instance when it fails. The zero Probe is none.
	Liveness Probe
	// PreStop is how long an instance that is to stop goes on, before it is told to (SIGTERM).
	PreStop time.Duration
	// Grace is how long after the decision to stop an instance is killed, PreStop included. Default 30 s.
	Grace time.Duration
	// DiesOnTerm says that the process ends at SIGTERM at once, as a Go program does that does not catch
	// it. Otherwise it refuses new connections, serves what it has, and ends, as http.Server.Shutdown does.
	DiesOnTerm bool
	// EndpointLag is how much later than the instance the balancer knows that it became ready, or is no more.
	// Default 1 s; NoEndpointLag makes it 0.
	EndpointLag   time.Duration
	NoEndpointLag bool
	// NodeNotice is how long it takes until instances of a lost zone count as not ready. Default 40 s.
	// Eviction is how much later they are replaced in other zones. Default 5 min.
	NodeNotice, Eviction time.Duration
}

// Scaling says by what the number of replicas changes.
type Scaling struct {
	// By decides. Nil: nothing does.
	By scale.Scaler
	// Values are the metrics that belong to no instance (Object, External, triggers), by name: a query of a monitor.Monitor, for
	// example. A value that has an error is missing.
	Values map[string]func() (float64, error)
	// PerInstance are metrics of the kind Pods, by name, besides "cpu" (with a Capacity.CPU), "requests" (per second) and "active". Those of a
	// resource are named by it, "memory", and those of a container besides Capacity.Container by scale.Of: "proxy/cpu".
	PerInstance map[string]func(i *Instance) (float64, error)
	// Requests are what the utilization of such a resource is relative to, by the same names.
	Requests map[string]float64
}

// A Release is a version that takes the place of another: see [Fleet.Deploy].
type Release struct {
	// Version differs from the versions that run.
	Version string
	// New is nil for the same New, which can ask for the version of its Instance.
	New func(i *Instance) http.Handler
	// Capacity and Life are those of the fleet where they are nil.
	Capacity *Capacity
	Life     *Life
}

// A Retry says which requests are sent again. The zero Retry sends none.
type Retry struct {
	// Max is how often one request is sent again. Zero: not at all.
	Max int
	// If says which results are worth another attempt; resp is nil where err is not. Default: no answer, and the statuses
	// 502, 503 and 504.
	If func(resp *http.Response, err error) bool
	// Unsafe sends also those requests again that may have been served and are not idempotent (POST, PATCH). A
	// request with a body needs its GetBody, which http.NewRequest sets for buffers, bytes and strings.
	Unsafe bool
	// Backoff is the wait before the n-th retry. Default: uniform over [0, 25 ms · (2^n - 1)], up to 250 ms (Envoy).
	Backoff latency.Distribution
	// PerTry is how long one attempt may take until its answer begins. Zero: no limit.
	PerTry time.Duration
	// Budget bounds retries and hedges. Its zero value has Envoy's defaults: 20% of the active requests, and 3.
	Budget route.Budget
}

// A Hedge sends a request a second time, to another instance, when there is no answer After that long. The first answer counts, and
// the other attempt is cancelled. Only idempotent requests without a body are hedged, within Retry.Budget. The zero Hedge hedges none.
type Hedge struct {
	After time.Duration
}

// withDefaults fills in what is zero, or says what is wrong.
func (c Config) withDefaults() (Config, error) {
	check := field.Check("fleet: Config")
	check.That(c.New != nil, "New", "nil", "makes no handler")
	check.Count("Replicas", c.Replicas)
	check.That(c.Replicas <= MaxReplicas, "Replicas", c.Replicas, "is over %d", MaxReplicas)
	check.That(c.Replicas == 0 || !c.NoReplicas, "Replicas", c.Replicas, "contradicts NoReplicas")
	for i, z := range c.Zones {
		for _, other := range c.Zones[:i] {
			check.That(z != other, fmt.Sprintf("Zones[%d]", i), z, "is there twice")
		}
	}
	c.Capacity.check(check, "Capacity")
	c.Life.check(check, "Life")
	c.Health.check(check, "Health")
	check.Duration("ConnectTimeout", c.ConnectTimeout)
	c.Retry.check(check, "Retry")
	c.Hedge.check(check, "Hedge")
	c.Scaling.check(check)
	if err := check.Result(); err != nil {
		return c, err
	}
	c.Name, c.Version = cmp.Or(c.Name, DefaultName), cmp.Or(c.Version, DefaultVersion)
	if !c.NoReplicas {
		c.Replicas = cmp.Or(c.Replicas, 1)
	}
	if len(c.Zones) == 0 {
		c.Zones = []string{""}
	}
	if c.Key == nil {
		c.Key = func(r *http.Request) string { return r.URL.Path }
	}
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, DefaultConnectTimeout)
	c.Capacity, c.Life, c.Health = c.Capacity.withDefaults(), c.Life.withDefaults(), c.Health.withDefaults()
	c.Retry = c.Retry.withDefaults()
	return c, nil
}

func (c Capacity) check(f *field.Checker, at string) {
	f.Count(at+".Concurrency", c.Concurrency)
	f.Count(at+".MaxQueue", c.MaxQueue)
	f.That(c.MaxQueue == 0 || c.Concurrency > 0, at+".MaxQueue", c.MaxQueue, "is set, but Concurrency is not")
	f.That(c.MaxQueue == 0 || !c.NoQueue, at+".MaxQueue", c.MaxQueue, "contradicts NoQueue")
	f.Err(at+".CPU", c.CPU.Err())
	f.Count(at+".Processors", c.Processors)
	f.Finite(at+".CPURequest", c.CPURequest)
}

func (c Capacity) withDefaults() Capacity {
	if !c.NoQueue {
		c.MaxQueue = cmp.Or(c.MaxQueue, DefaultMaxQueue)
	}
	c.Processors = cmp.Or(c.Processors, 1)
	c.CPURequest = cmp.Or(c.CPURequest, float64(c.Processors))
	c.Container = cmp.Or(c.Container, DefaultContainer)
	return c
}

func (l Life) check(f *field.Checker, at string) {
	f.Err(at+".StartUp", l.StartUp.Err())
	l.Readiness.check(f, at+".Readiness")
	l.Liveness.check(f, at+".Liveness")
	f.Duration(at+".PreStop", l.PreStop)
	f.Duration(at+".Grace", l.Grace)
	f.That(l.PreStop <= cmp.Or(l.Grace, DefaultGrace), at+".PreStop", l.PreStop, "is over Grace, %v", cmp.Or(l.Grace, DefaultGrace))
	f.Duration(at+".EndpointLag", l.EndpointLag)
	f.That(l.EndpointLag == 0 || !l.NoEndpointLag, at+".EndpointLag", l.EndpointLag, "contradicts NoEndpointLag")
	f.Duration(at+".NodeNotice", l.NodeNotice)
	f.Duration(at+".Eviction", l.Eviction)
}

func (l Life) withDefaults() Life {
	l.Readiness, l.Liveness = l.Readiness.withDefaults(), l.Liveness.withDefaults()
	l.Grace = cmp.Or(l.Grace, DefaultGrace)
	if !l.NoEndpointLag {
		l.EndpointLag = cmp.Or(l.EndpointLag, DefaultEndpointLag)
	}
	l.NodeNotice, l.Eviction = cmp.Or(l.NodeNotice, DefaultNodeNotice), cmp.Or(l.Eviction, DefaultEviction)
	return l
}

func (s Scaling) check(f *field.Checker) {
	for _, name := range text.SortedKeys(s.Requests) {
		f.That(s.Requests[name] > 0 && !math.IsInf(s.Requests[name], 1), fmt.Sprintf("Scaling.Requests[%q]", name), s.Requests[name], "is not a number above 0")
	}
	f.That(s.By != nil || len(s.Values)+len(s.PerInstance) == 0, "Scaling.By", "nil", "uses no values, and there are some")
	f.That(s.By == nil || s.By.Every() > 0, "Scaling.By", "Every", "is not above 0")
}

func (r Retry) check(f *field.Checker, at string) {
	f.Count(at+".Max", r.Max)
	f.Err(at+".Backoff", r.Backoff.Err())
	f.Duration(at+".PerTry", r.PerTry)
	f.Err(at+".Budget", r.Budget.Check())
}

func (h Hedge) check(f *field.Checker, at string) { f.Duration(at+".After", h.After) }

func (r Retry) withDefaults() Retry {
	if r.If == nil {
		r.If = func(resp *http.Response, err error) bool {
			return err != nil || resp.StatusCode >= 502 && resp.StatusCode <= 504
		}
	}
	return r
}

// wait is the back-off before the n-th retry, from 1.
func (r Retry) wait(n int, draw *rand.Rand) time.Duration {
	if !r.Backoff.IsZero() {
		return r.Backoff.Sample(draw)
	}
	most := min(250*time.Millisecond, 25*time.Millisecond*time.Duration(1<<min(n, 10)-1))
	return time.Duration(draw.Int64N(int64(most) + 1))
}
