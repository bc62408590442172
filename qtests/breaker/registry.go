package breaker

import (
	"cmp"
	"container/list"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/tb"
)

// DefaultRegistrySize is the default of [RegistryConfig].Max.
const DefaultRegistrySize = 1000

// A RegistryConfig describes a [Registry].
type RegistryConfig struct {
	// Default is the Config of every breaker without an override. Its Name must
	// be empty: Get gives the names.
	Default Config
	// Overrides replaces Default, as a whole, for the names in it. What an
	// override leaves open of Clock, Stream, EventLog and OnTransition it takes
	// from Default. NewRegistry copies the map.
	Overrides map[string]Config
	// Max is how many breakers the registry holds. Default 1000.
	Max int
}

// A Registry makes and keeps breakers by name: one for each upstream, tenant or
// host. It is bounded. To make room it evicts the idle breaker that Get has not
// returned for longest. Idle means closed, automatic, without calls in flight
// and without script; a breaker that is open, half-open or forced stays.
//
// A caller that keeps the pointer of an evicted breaker can go on using it, but
// Get makes another one under that name. Ask Get for each call, or make Max
// large enough for all names.
//
// All methods are safe for concurrent use.
type Registry struct {
	cfg RegistryConfig

	// mu is never held while a hook runs or the clock is read.
	mu struct {
		sync.Mutex
		closed  bool
		byName  map[string]*list.Element
		recency list.List // of *Breaker, latest Get first
	}
}

var _ prometheus.Collector = (*Registry)(nil)

// NewRegistry returns an empty registry. It checks every Config at once.
func NewRegistry(cfg RegistryConfig) (*Registry, error) {
	f := field.Check("breaker: RegistryConfig")
	f.Count("Max", cfg.Max)
	f.That(cfg.Default.Name == "", "Default.Name", fmt.Sprintf("%q", cfg.Default.Name), "is set, but Get gives the names")
	f.Err("Default", cfg.Default.check())
	overrides := make(map[string]Config, len(cfg.Overrides))
	for name, c := range cfg.Overrides {
		at := fmt.Sprintf("Overrides[%q]", name)
		f.That(c.Name == "" || c.Name == name, at+".Name", fmt.Sprintf("%q", c.Name), "is not the name it is for")
		f.Err(at, c.check())
		overrides[name] = c
	}
	if err := f.Result(); err != nil {
		return nil, err
	}
	cfg.Overrides = overrides
	cfg.Max = orDefault(cfg.Max, DefaultRegistrySize)
	r := &Registry{cfg: cfg}
	r.mu.byName = map[string]*list.Element{}
	return r, nil
}

// NewRegistryT returns a registry for a test: what the Default leaves open it
// takes from t, as [NewT] does. It is closed when t ends. A cfg without meaning
// fails t.
func NewRegistryT(t tb.TB, cfg RegistryConfig) *Registry {
	t.Helper()
	if cfg.Default.Stream == (tb.Stream{}) {
		cfg.Default.Stream = tb.StreamOf(t, "breakers")
	}
	cfg.Default = cfg.Default.of(t)
	r, err := NewRegistry(cfg)
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	t.Cleanup(r.Close)
	return r
}

// Get returns the breaker called name and makes it if there is none. It returns
// ErrRegistryFull when Max breakers are there and none can be evicted, and
// ErrRegistryClosed after Close.
func (r *Registry) Get(name string) (*Breaker, error) {
	if name == "" {
		return nil, errors.New("breaker: Registry.Get: the name is empty")
	}
	if b, err := r.find(name, nil); b != nil || err != nil {
		return b, err
	}
	b, err := New(r.config(name)) // reads the clock, so not under the lock
	if err != nil {
		return nil, err
	}
	return r.find(name, b)
}

// find returns the breaker called name, or else adds fresh, if there is one.
func (r *Registry) find(name string, fresh *Breaker) (*Breaker, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.closed {
		return nil, ErrRegistryClosed
	}
	if e, ok := r.mu.byName[name]; ok {
		r.mu.recency.MoveToFront(e)
		return e.Value.(*Breaker), nil
	}
	if fresh == nil {
		return nil, nil
	}
	if len(r.mu.byName) >= r.cfg.Max && !r.evictLocked() {
		return nil, fmt.Errorf("%w: %d breakers and none is idle, no room for %q", ErrRegistryFull, r.cfg.Max, name)
	}
	r.mu.byName[name] = r.mu.recency.PushFront(fresh)
	return fresh, nil
}

// evictLocked removes the least recently used idle breaker, if there is one.
func (r *Registry) evictLocked() bool {
	for e := r.mu.recency.Back(); e != nil; e = e.Prev() {
		if b := e.Value.(*Breaker); b.idle() {
			delete(r.mu.byName, b.cfg.Name)
			r.mu.recency.Remove(e)
			return true
		}
	}
	return false
}

// idle reports whether nothing would be lost with the breaker. It lets no time
// pass, so that no transition is found and no hook is due under the caller's lock.
func (b *Breaker) idle() bool {
	b.lock()
	m := b.mu.machine
	idle := m.state == Closed && m.mode == Automatic && m.running == 0 && m.script.empty() && len(b.mu.deliveries.queue) == 0
	b.unlock()
	return idle
}

// config returns the Config of the breaker called name.
func (r *Registry) config(name string) Config {
	base := r.cfg.Default
	c, ok := r.cfg.Overrides[name]
	if !ok {
		c = base
	}
	c.Name = name
	if c.Clock == nil {
		c.Clock = base.Clock
	}
	if c.EventLog == nil {
		c.EventLog = base.EventLog
	}
	if c.OnTransition == nil {
		c.OnTransition = base.OnTransition
	}
	if !ok || c.Stream == (tb.Stream{}) {
		c.Stream = base.Stream
		if c.Stream != (tb.Stream{}) {
			c.Stream = c.Stream.Sub(name) // or all breakers would draw the same jitter
		}
	}
	return c
}

// breakers returns the breakers by name.
func (r *Registry) breakers() []*Breaker {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*Breaker, 0, len(r.mu.byName))
	for e := r.mu.recency.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(*Breaker))
	}
	slices.SortFunc(all, func(a, b *Breaker) int { return cmp.Compare(a.cfg.Name, b.cfg.Name) })
	return all
}

// Stats returns the Stats of every breaker, sorted by name. Each is consistent
// in itself; they are read one after the other.
func (r *Registry) Stats() []Stats {
	var all []Stats
	for _, b := range r.breakers() {
		all = append(all, b.Stats())
	}
	return all
}

// ResetAll resets every breaker, in the order of their names. Forced ones stay.
func (r *Registry) ResetAll() {
	for _, b := range r.breakers() {
		b.Reset()
	}
}

// Close forgets every breaker and makes Get fail. Breakers that are in use go on
// working. Closing again does nothing.
func (r *Registry) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.closed = true
	clear(r.mu.byName)
	r.mu.recency.Init()
}

// Describe implements prometheus.Collector. It describes nothing, which makes
// the collector an unchecked one: breakers come and go.
func (r *Registry) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector with the metrics of every breaker.
func (r *Registry) Collect(ch chan<- prometheus.Metric) {
	for _, b := range r.breakers() {
		b.Collect(ch)
	}
}
