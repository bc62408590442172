package registry

import (
	"cmp"
	"container/list"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// The errors of [Registry.Get], for errors.Is.
var (
	// ErrFull says that a new breaker would exceed Max and none can be evicted.
	ErrFull = errors.New("registry: full")
	// ErrClosed says that the registry was closed.
	ErrClosed = errors.New("registry: closed")
)

// A Registry makes and keeps breakers by name. Make one with [New] or [NewT]. All methods
// are safe for concurrent use.
type Registry struct {
	cfg  Config
	make func(breaker.Config) (*breaker.Breaker, error)

	// mu is never held while a breaker is asked: that may read a clock and call a hook.
	mu struct {
		sync.Mutex
		closed  bool
		byName  map[string]*list.Element
		recency list.List // of *entry, latest Get first
	}
}

// An entry is a breaker and how often Get has returned it.
type entry struct {
	name    string
	breaker *breaker.Breaker
	gets    uint64
}

// New returns an empty registry. It checks every Config at once.
func New(cfg Config) (*Registry, error) {
	cfg, err := cfg.normalize()
	if err != nil {
		return nil, err
	}
	r := &Registry{cfg: cfg, make: breaker.New}
	r.mu.byName = map[string]*list.Element{}
	return r, nil
}

// NewT returns a registry for a test: its breakers take what their Config leaves open from
// t, as [breaker.NewT] does. It is closed when t ends. A cfg without meaning fails t.
func NewT(t tb.TB, cfg Config) *Registry {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		tb.Fatalf(t, "%v", err)
		return nil
	}
	r.make = func(c breaker.Config) (*breaker.Breaker, error) { return breaker.NewT(t, c), nil }
	t.Cleanup(r.Close)
	return r
}

// Get returns the breaker called name and makes it if there is none. It returns
// ErrFull when Max breakers are there and none can be evicted, and
// ErrClosed after Close.
func (r *Registry) Get(name string) (*breaker.Breaker, error) {
	if name == "" {
		return nil, errors.New("registry: Get: the name is empty")
	}
	b, room, err := r.take(name, nil)
	if b != nil || err != nil {
		return b, err
	}
	fresh, err := r.make(r.cfg.named(name)) // reads the clock, so not under the lock
	if err != nil {
		return nil, err
	}
	for {
		if !room && !r.evict() {
			return nil, fmt.Errorf("%w: %d breakers and none is idle, no room for %q", ErrFull, r.cfg.Max, name)
		}
		if b, room, err = r.take(name, fresh); b != nil || err != nil {
			return b, err
		}
	}
}

// take returns the breaker called name. Where there is none it adds fresh, if there is one,
// and if there is room.
func (r *Registry) take(name string, fresh *breaker.Breaker) (b *breaker.Breaker, room bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.closed {
		return nil, false, ErrClosed
	}
	if e, ok := r.mu.byName[name]; ok {
		r.mu.recency.MoveToFront(e)
		e.Value.(*entry).gets++
		return e.Value.(*entry).breaker, true, nil
	}
	room = len(r.mu.byName) < r.cfg.Max
	if fresh == nil || !room {
		return nil, room, nil
	}
	r.mu.byName[name] = r.mu.recency.PushFront(&entry{name: name, breaker: fresh})
	return fresh, true, nil
}

// Lookup returns the breaker called name, and makes none. It does not count as use: an idle
// breaker can be evicted in spite of it.
func (r *Registry) Lookup(name string) (*breaker.Breaker, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.mu.byName[name]
	if !ok {
		return nil, false
	}
	return e.Value.(*entry).breaker, true
}

// Remove forgets the breaker called name, in whatever state it is, and reports whether there
// was one. Callers that have it can go on using it, but Get makes another one.
func (r *Registry) Remove(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.mu.byName[name]
	if ok {
		r.removeLocked(e)
	}
	return ok
}

func (r *Registry) removeLocked(e *list.Element) {
	delete(r.mu.byName, e.Value.(*entry).name)
	r.mu.recency.Remove(e)
}

// evict makes room: it removes the idle breaker that Get has not returned for longest. It
// reports false when none is idle.
func (r *Registry) evict() bool {
	for skip := 0; ; skip += batch {
		oldest := r.oldest(skip)
		if len(oldest) == 0 {
			return r.hasRoom()
		}
		for _, e := range oldest {
			if r.idle(e.breaker.Stats()) && r.removeIfUnused(e) {
				return true
			}
		}
	}
}

// batch is how many breakers evict takes out of the lock at a time.
const batch = 32

// oldest returns a batch of copies of the entries that Get has not returned for longest,
// behind the first skip of them.
func (r *Registry) oldest(skip int) (es []entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for e := r.mu.recency.Back(); e != nil && len(es) < batch; e = e.Prev() {
		if skip--; skip < 0 {
			es = append(es, *e.Value.(*entry))
		}
	}
	return es
}

// removeIfUnused removes the breaker of a copied entry, unless Get has returned it since.
func (r *Registry) removeIfUnused(seen entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.mu.byName[seen.name]
	if !ok || *e.Value.(*entry) != seen {
		return false
	}
	r.removeLocked(e)
	return true
}

// hasRoom reports whether a breaker went while evict looked.
func (r *Registry) hasRoom() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.mu.byName) < r.cfg.Max
}

// idle reports whether nothing would be lost with the breaker.
func (r *Registry) idle(s breaker.Stats) bool {
	return s.State == breaker.Closed && s.Mode == r.cfg.named(s.Name).Mode && s.InFlight == 0 && s.Scripted == 0
}

// all returns the breakers by name.
func (r *Registry) all() []*breaker.Breaker {
	r.mu.Lock()
	defer r.mu.Unlock()
	es := slices.SortedFunc(maps.Values(r.mu.byName), func(a, b *list.Element) int {
		return cmp.Compare(a.Value.(*entry).name, b.Value.(*entry).name)
	})
	bs := make([]*breaker.Breaker, len(es))
	for i, e := range es {
		bs[i] = e.Value.(*entry).breaker
	}
	return bs
}

// Stats returns the Stats of every breaker, sorted by name. Each is consistent
// in itself; they are read one after the other.
func (r *Registry) Stats() []breaker.Stats {
	var all []breaker.Stats
	for _, b := range r.all() {
		all = append(all, b.Stats())
	}
	return all
}

// ResetAll resets every breaker, in the order of their names. Forced ones stay.
func (r *Registry) ResetAll() {
	for _, b := range r.all() {
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

// Format writes one line, such as "registry: 3 breakers", for every verb, so that a registry
// in use can be printed.
func (r *Registry) Format(f fmt.State, _ rune) {
	r.mu.Lock()
	n := len(r.mu.byName)
	r.mu.Unlock()
	fmt.Fprintf(f, "registry: %s", text.Plural(n, "breaker"))
}
