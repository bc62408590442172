package failover

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/pool"
	"github.com/go-qtests/qtests/qtests/pool/internal/callback"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Defaults of [Config].
const (
	DefaultName           = "failover"
	DefaultHealthInterval = 5 * time.Second
	DefaultHealthTimeout  = 5 * time.Second
	DefaultUnhealthyAfter = 2
	DefaultHealthyFor     = 30 * time.Second
)

const maxBackends = 64 // the bits of an openSet

// Config describes a [Failover].
type Config[R any] struct {
	// Name is the label of the metrics and the source in the event log. Default "failover".
	Name string
	// Backends are the pools, the preferred one first; 1 to 64. Their names
	// must differ; the default of the i-th is NAME-i, counted from 0. Clock,
	// Stream and EventLog are those of the failover where they are not set. A
	// backend without a Breaker gets one made from the field Breaker.
	Backends []pool.Config[R]
	// Breaker is the template of the backends' breakers; each is named after its
	// backend.
	Breaker breaker.Config
	// Health checks one backend. Default: New of that backend, then its Check if
	// it has one, then Destroy, on a resource outside its pool: a pool whose
	// resources are all in use is not dead.
	Health func(ctx context.Context, backend pool.Config[R]) error
	// HealthInterval is the time from one check of a backend to the next.
	// Default 5s. A check that takes longer delays the next one.
	HealthInterval time.Duration
	// HealthTimeout ends the context of Health. A check that takes longer has failed,
	// even if Health ignores its context. Default 5s.
	HealthTimeout time.Duration
	// UnhealthyAfter is how many failed checks in a row move the traffic away.
	// Default 2. An open breaker moves it at once.
	UnhealthyAfter int
	// HealthyFor is how long a preferred backend must have been healthy, counted from
	// its first good check, to get the traffic back. Default 30s.
	HealthyFor time.Duration

	Clock    clock.Clock // Default: the real clock.
	Stream   tb.Stream   // Default: the stream "pool NAME" of the seed 1.
	EventLog *event.Log  // Default: none.
}

func (cfg Config[R]) validate() error {
	c := field.Check("failover: Config")
	c.That(len(cfg.Backends) > 0 && len(cfg.Backends) <= maxBackends, "Backends", len(cfg.Backends),
		"backends: want 1 to %d", maxBackends)
	c.Duration("HealthInterval", cfg.HealthInterval)
	c.Duration("HealthTimeout", cfg.HealthTimeout)
	c.Count("UnhealthyAfter", cfg.UnhealthyAfter)
	c.Duration("HealthyFor", cfg.HealthyFor)
	names := map[string]bool{}
	for i, b := range cfg.withDefaults().Backends {
		c.That(!names[b.Name], fmt.Sprintf("Backends[%d].Name", i), b.Name, "is taken")
		names[b.Name] = true
		c.Err(fmt.Sprintf("Backends[%d]", i), b.Validate())
	}
	return c.Result()
}

func (cfg Config[R]) withDefaults() Config[R] {
	cfg.Name = cmp.Or(cfg.Name, DefaultName)
	cfg.HealthInterval = cmp.Or(cfg.HealthInterval, DefaultHealthInterval)
	cfg.HealthTimeout = cmp.Or(cfg.HealthTimeout, DefaultHealthTimeout)
	cfg.UnhealthyAfter = cmp.Or(cfg.UnhealthyAfter, DefaultUnhealthyAfter)
	cfg.HealthyFor = cmp.Or(cfg.HealthyFor, DefaultHealthyFor)
	cfg.Stream = cmp.Or(cfg.Stream, tb.NewStream(tb.DefaultSeed, streamName(cfg.Name)))
	if cfg.Clock == nil {
		cfg.Clock = clock.New()
	}
	if cfg.Health == nil {
		cfg.Health = makeAndCheck[R]
	}
	cfg.Backends = append([]pool.Config[R](nil), cfg.Backends...)
	for i := range cfg.Backends {
		b := &cfg.Backends[i]
		b.Name = cmp.Or(b.Name, fmt.Sprintf("%s-%d", cfg.Name, i))
		b.Clock = cmp.Or(b.Clock, cfg.Clock)
		b.Stream = cmp.Or(b.Stream, cfg.Stream.Sub(b.Name))
		b.EventLog = cmp.Or(b.EventLog, cfg.EventLog)
	}
	return cfg
}

// streamName is the name that the stream of a pool has: a failover stands for one.
func streamName(name string) string { return "pool " + name }

// makeAndCheck is the default of Config.Health.
func makeAndCheck[R any](ctx context.Context, cfg pool.Config[R]) error {
	r, err := cfg.New(ctx)
	if err != nil {
		return err
	}
	if callback.IsNil(r) {
		return pool.ErrNilResource
	}
	if cfg.Destroy != nil {
		defer cfg.Destroy(r)
	}
	if cfg.Check == nil {
		return nil
	}
	return cfg.Check(ctx, r)
}
