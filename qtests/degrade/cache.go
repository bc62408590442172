package degrade

import (
	"cmp"
	"container/list"
	"context"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/guard"
)

// Defaults of a [CacheConfig].
const (
	DefaultFresh = time.Minute
	DefaultStale = time.Hour
	DefaultMax   = 1000
)

// A CacheConfig describes a Cache.
type CacheConfig struct {
	Name    string        // what requests are marked with; default "cache"
	Clock   clock.Clock   // default: the real clock
	Fresh   time.Duration // default 1 min; NoFresh makes it 0: every Get asks
	NoFresh bool
	Stale   time.Duration // how old a value may be when asking fails, at least Fresh; default 1 h, or Fresh if that is longer
	Max     int           // values; default 1000
}

// A Cache keeps values for the time when they cannot be had. All methods are safe for concurrent use.
type Cache[K comparable, V any] struct {
	cfg   CacheConfig
	state guard.Value[cached[K, V]]
}

type cached[K comparable, V any] struct {
	byKey map[K]*list.Element
	order *list.List // of *entry, the last used one first
	stats CacheStats
}

type entry[K comparable, V any] struct {
	key   K
	value V
	at    time.Time
}

// CacheStats say what a Cache did. Every Get is a hit, was loaded, is stale, or failed.
type CacheStats struct {
	Hits, Loaded, Stale, Failed uint64
	Dropped                     uint64 // values, for lack of room
	Values                      int
}

// NewCache returns a Cache, or an error that names what is wrong with cfg.
func NewCache[K comparable, V any](cfg CacheConfig) (*Cache[K, V], error) {
	c := field.Check("degrade: CacheConfig")
	c.Duration("Fresh", cfg.Fresh)
	c.That(cfg.Fresh == 0 || !cfg.NoFresh, "Fresh", cfg.Fresh, "contradicts NoFresh")
	c.Duration("Stale", cfg.Stale)
	c.Count("Max", cfg.Max)
	if !cfg.NoFresh {
		cfg.Fresh = cmp.Or(cfg.Fresh, DefaultFresh)
	}
	c.That(cfg.Stale == 0 || cfg.Stale >= cfg.Fresh, "Stale", cfg.Stale, "is below Fresh, %v", cfg.Fresh)
	if err := c.Result(); err != nil {
		return nil, err
	}
	cfg.Name, cfg.Max = cmp.Or(cfg.Name, "cache"), cmp.Or(cfg.Max, DefaultMax)
	cfg.Stale = cmp.Or(cfg.Stale, max(DefaultStale, cfg.Fresh))
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	x := &Cache[K, V]{cfg: cfg}
	x.state.Do(func(c *cached[K, V]) { *c = cached[K, V]{byKey: map[K]*list.Element{}, order: list.New()} })
	return x, nil
}

// Get returns the value of key: the fresh one, or what load returns, or, if that fails, the old one, Degraded. Several loads of one key may run at once. If
// ctx has ended, an old value is given all the same.
func (x *Cache[K, V]) Get(ctx context.Context, key K, load func(ctx context.Context) (V, error)) (V, Grade, error) {
	if v, ok := x.find(key, x.cfg.Fresh, func(s *CacheStats) { s.Hits++ }); ok {
		return v, Full, nil
	}
	v, err := load(ctx)
	if err == nil {
		x.put(key, v)
		return v, Full, nil
	}
	if old, ok := x.find(key, x.cfg.Stale, func(s *CacheStats) { s.Stale++ }); ok {
		Mark(ctx, x.cfg.Name)
		return old, Degraded, nil
	}
	x.state.Do(func(c *cached[K, V]) { c.stats.Failed++ })
	return v, Failed, err
}

// find returns a value that is less old than most.
func (x *Cache[K, V]) find(key K, most time.Duration, found func(*CacheStats)) (v V, ok bool) {
	now := x.cfg.Clock.Now()
	x.state.Do(func(c *cached[K, V]) {
		element := c.byKey[key]
		if element == nil {
			return
		}
		e := element.Value.(*entry[K, V])
		if now.Sub(e.at) >= most {
			return
		}
		c.order.MoveToFront(element)
		v, ok = e.value, true
		found(&c.stats)
	})
	return v, ok
}

func (x *Cache[K, V]) put(key K, v V) {
	now := x.cfg.Clock.Now()
	x.state.Do(func(c *cached[K, V]) {
		c.stats.Loaded++
		if element := c.byKey[key]; element != nil {
			c.order.Remove(element)
		}
		c.byKey[key] = c.order.PushFront(&entry[K, V]{key, v, now})
		if c.order.Len() > x.cfg.Max {
			oldest := c.order.Back()
			c.order.Remove(oldest)
			delete(c.byKey, oldest.Value.(*entry[K, V]).key)
			c.stats.Dropped++
		}
	})
}

// Stats returns what it did so far.
func (x *Cache[K, V]) Stats() (s CacheStats) {
	x.state.Do(func(c *cached[K, V]) {
		s = c.stats
		s.Values = c.order.Len()
	})
	return s
}
