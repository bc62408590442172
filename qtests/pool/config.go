package pool

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Defaults of [Config].
const (
	DefaultName             = "pool"
	DefaultMax              = 10
	DefaultConstructTimeout = 30 * time.Second
	DefaultBackoff          = 100 * time.Millisecond
	DefaultMaxBackoff       = 10 * time.Second
	DefaultLifetimeJitter   = 0.1
	DefaultCheckTimeout     = 5 * time.Second
)

// Config describes a [Pool]. The zero value of every field but New is usable.
type Config[R any] struct {
	// Name is the pool's label in metrics, the event log and errors. Default "pool".
	Name string

	// New makes a resource. Required. It runs on a goroutine of the pool, never
	// on the caller's, and up to Max of them at once. Its context ends after
	// ConstructTimeout, on Reset, on a Resize that leaves no room for it, and on
	// Close; it carries no values of any caller.
	New func(ctx context.Context) (R, error)
	// Destroy disposes of a resource, on a goroutine of its own. Nil: nothing to do.
	Destroy func(R)
	// Check reports whether an idle resource is still good. It runs on a
	// goroutine of the pool, while no caller has the resource.
	Check func(ctx context.Context, r R) error

	// Min is how many resources the pool keeps, made in the background from the
	// start (unless Lazy) and replaced when destroyed. Default 0.
	Min int
	// Max is how many resources there may be, idle, in use and constructing
	// together. Default 10.
	Max int
	// Lazy makes the first acquire, instead of the constructor of the pool,
	// begin to fill it up to Min.
	Lazy bool
	// IdleFIFO hands out the resource that has been idle longest. The default is
	// the one used last: the others can reach MaxIdleTime.
	IdleFIFO bool

	// MaxWaiters is how many callers may wait without a resource being made or
	// checked for them; the next one gets ErrOverloaded at once. 0: no limit.
	MaxWaiters int
	// NoQueue refuses a caller with ErrOverloaded unless a resource is idle, or is
	// made or checked for it. It excludes MaxWaiters.
	NoQueue bool
	// AcquireTimeout ends a wait with ErrAcquireTimeout. 0: only the caller's
	// context does.
	AcquireTimeout time.Duration

	// ConstructTimeout ends the context of New. Default 30s.
	ConstructTimeout time.Duration
	// Backoff is the pause after a failed construction, doubled after each
	// further failure up to MaxBackoff, and forgotten after a success. Defaults
	// 100ms and 10s.
	Backoff, MaxBackoff time.Duration
	// NoBackoff allows a new attempt at once.
	NoBackoff bool

	// MaxLifetime is how long after its construction a resource is destroyed, once it
	// is not in use. 0: no limit.
	MaxLifetime time.Duration
	// LifetimeJitter shortens each lifetime by a uniformly random share of
	// MaxLifetime in [0, LifetimeJitter), so that resources made together do not
	// end together. Default 0.1; NoJitter: none.
	LifetimeJitter float64
	NoJitter       bool
	// MaxIdleTime is after how much idle time a resource is destroyed, if more than Min
	// are left. 0: no limit.
	MaxIdleTime time.Duration
	// MaxUses destroys a resource after that many leases. 0: no limit.
	MaxUses int

	// CheckInterval is how long after its construction or its last check an idle
	// resource is checked. 0: never.
	CheckInterval time.Duration
	// CheckAfterIdle checks a resource before it is handed out if it has been
	// idle, unchecked, for at least that long. 0: never.
	CheckAfterIdle time.Duration
	// CheckTimeout ends the context of Check. Default 5s.
	CheckTimeout time.Duration

	// LeakThreshold reports a lease that is held longer, and reports it again
	// when it comes back. 0: never. It implies Stacks.
	LeakThreshold time.Duration
	// Stacks records who acquires each lease, for LeakThreshold and CloseError.
	// It costs an allocation and about a microsecond per acquire. NewT sets it.
	Stacks bool
	// OnReport is told of events that no caller may learn of otherwise. Its calls are
	// never concurrent, come in order, and hold no lock of the pool. A panic in it is
	// swallowed and counted in Stats.
	OnReport func(Report)

	// Breaker, if any, must allow each acquire. A rejected caller gets the error of the
	// breaker. The permit lasts as long as the lease. Release and Hijack finish it
	// without an error, Discard and Do with theirs. A *ConstructError finishes it as a
	// failure. The permit is cancelled when the caller got no resource for a reason that
	// says nothing about the backend: its context ended, it timed out, it was refused,
	// the pool was closed, or nothing was idle.
	Breaker *breaker.Breaker

	// Clock is what the pool waits on. Default: the real clock.
	Clock clock.Clock
	// Stream draws the jitter. Default: the stream "pool NAME" of the seed 1.
	// NewT takes the seed of its test.
	Stream tb.Stream
	// EventLog gets a mark, with the source "pool NAME", when the pool is
	// suspended, resumed, resized, reset or closed, and when constructions begin
	// to fail and succeed again. Default: none. NewT takes the log of its test.
	EventLog *event.Log
}

// settings is a Config without its type parameter and with its defaults.
type settings struct {
	name                                      string
	min, max                                  int
	lazy, idleFIFO                            bool
	maxWaiters                                int
	noQueue                                   bool
	acquireTimeout, constructTimeout          time.Duration
	backoff, maxBackoff                       time.Duration
	maxLifetime, maxIdleTime                  time.Duration
	jitter                                    float64
	maxUses                                   int
	checkInterval, checkAfterIdle, checkLimit time.Duration
	leakThreshold                             time.Duration
	stacks                                    bool
	destroys                                  bool // there is a Destroy
	stream                                    tb.Stream
}

// timed reports whether every acquire and release needs the time.
func (s *settings) timed() bool {
	return s.maxLifetime > 0 || s.maxIdleTime > 0 || s.checkInterval > 0 || s.checkAfterIdle > 0 || s.stacks
}

func (cfg Config[R]) settings() (settings, error) {
	if err := cfg.Validate(); err != nil {
		return settings{}, err
	}
	s := settings{
		name: cmp.Or(cfg.Name, DefaultName),
		min:  cfg.Min, max: cmp.Or(cfg.Max, max(DefaultMax, cfg.Min)),
		lazy: cfg.Lazy, idleFIFO: cfg.IdleFIFO,
		maxWaiters: cfg.MaxWaiters, noQueue: cfg.NoQueue,
		acquireTimeout:   cfg.AcquireTimeout,
		constructTimeout: cmp.Or(cfg.ConstructTimeout, DefaultConstructTimeout),
		backoff:          cmp.Or(cfg.Backoff, DefaultBackoff),
		maxBackoff:       cmp.Or(cfg.MaxBackoff, max(DefaultMaxBackoff, cfg.Backoff)),
		maxLifetime:      cfg.MaxLifetime, maxIdleTime: cfg.MaxIdleTime, maxUses: cfg.MaxUses,
		jitter:        cmp.Or(cfg.LifetimeJitter, DefaultLifetimeJitter),
		checkInterval: cfg.CheckInterval, checkAfterIdle: cfg.CheckAfterIdle,
		checkLimit:    cmp.Or(cfg.CheckTimeout, DefaultCheckTimeout),
		leakThreshold: cfg.LeakThreshold,
		stacks:        cfg.Stacks || cfg.LeakThreshold > 0,
		destroys:      cfg.Destroy != nil,
	}
	if cfg.NoBackoff {
		s.backoff, s.maxBackoff = 0, 0
	}
	if cfg.NoJitter {
		s.jitter = 0
	}
	if s.maxWaiters == 0 && !s.noQueue {
		s.maxWaiters = math.MaxInt
	}
	s.stream = cmp.Or(cfg.Stream, tb.NewStream(tb.DefaultSeed, streamName(s.name)))
	return s, nil
}

// Validate returns the error of New for a config that is negative or contradictory.
// It names each field.
func (cfg Config[R]) Validate() error {
	c := field.Check("pool: Config")
	c.That(cfg.New != nil, "New", "nil", "is required")
	c.Count("Min", cfg.Min)
	c.Count("Max", cfg.Max)
	c.That(cfg.Max <= 0 || cfg.Min <= cfg.Max, "Min", cfg.Min, "is more than Max, %d", cfg.Max)
	c.Count("MaxWaiters", cfg.MaxWaiters)
	c.That(!cfg.NoQueue || cfg.MaxWaiters <= 0, "MaxWaiters", cfg.MaxWaiters, "contradicts NoQueue")
	c.Duration("AcquireTimeout", cfg.AcquireTimeout)
	c.Duration("ConstructTimeout", cfg.ConstructTimeout)
	c.Duration("Backoff", cfg.Backoff)
	c.Duration("MaxBackoff", cfg.MaxBackoff)
	c.That(cfg.MaxBackoff <= 0 || cmp.Or(cfg.Backoff, DefaultBackoff) <= cfg.MaxBackoff, "MaxBackoff", cfg.MaxBackoff,
		"is less than Backoff, %v", cmp.Or(cfg.Backoff, DefaultBackoff))
	c.That(!cfg.NoBackoff || cfg.Backoff <= 0, "Backoff", cfg.Backoff, "contradicts NoBackoff")
	c.Duration("MaxLifetime", cfg.MaxLifetime)
	c.Share("LifetimeJitter", cfg.LifetimeJitter)
	c.That(!cfg.NoJitter || cfg.LifetimeJitter == 0, "LifetimeJitter", cfg.LifetimeJitter, "contradicts NoJitter")
	c.Duration("MaxIdleTime", cfg.MaxIdleTime)
	c.Count("MaxUses", cfg.MaxUses)
	c.Duration("CheckInterval", cfg.CheckInterval)
	c.Duration("CheckAfterIdle", cfg.CheckAfterIdle)
	c.Duration("CheckTimeout", cfg.CheckTimeout)
	c.That(cfg.Check != nil || cfg.CheckInterval <= 0, "CheckInterval", cfg.CheckInterval, "has no Check to run")
	c.That(cfg.Check != nil || cfg.CheckAfterIdle <= 0, "CheckAfterIdle", cfg.CheckAfterIdle, "has no Check to run")
	c.Duration("LeakThreshold", cfg.LeakThreshold)
	return c.Result()
}

func streamName(name string) string { return "pool " + name }
