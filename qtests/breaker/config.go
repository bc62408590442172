package breaker

import (
	"math"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Defaults of the zero fields of a [Config].
const (
	DefaultName             = "breaker"
	DefaultFailureThreshold = 5
	DefaultResetTimeout     = 30 * time.Second
	DefaultProbeTimeout     = time.Minute
	DefaultWindowCalls      = 100
	DefaultWindowBuckets    = 10
	DefaultMinCalls         = 10
	DefaultLogSize          = 1000
)

// Upper bounds, so that one breaker stays small.
const (
	maxWindowCalls   = 1_000_000
	maxWindowBuckets = 10_000
	maxLogSize       = 1_000_000
)

// A Config describes a breaker. Every zero field has the default that its
// comment names, so the zero Config is a breaker that opens after 5 consecutive
// failures and probes with one call after 30 seconds.
type Config struct {
	// Name is the label of the metrics and the source in the event log. Default "breaker".
	Name string
	// Clock is the only source of time. Default: the real clock, which inside a
	// synctest bubble is fake. NewT takes the clock of its test.
	Clock clock.Clock
	// Stream draws the jitter. Default: the stream "breaker NAME" of the seed 1.
	// NewT takes the seed of its test.
	Stream tb.Stream
	// EventLog receives a mark for every transition: source "breaker NAME", text
	// "closed → open: 5 consecutive failures". Default: none. NewT takes that of
	// its test.
	EventLog *event.Log

	// FailureThreshold opens the breaker after that many consecutive failures.
	// Zero is 5 when neither rate below is set, and otherwise no such condition.
	FailureThreshold int
	// FailureRate opens the breaker when failures/calls in a window is at least
	// this share, 0 < rate <= 1. Zero: no such condition.
	FailureRate float64
	// SlowCallRate opens the breaker when slow calls/calls in a window is at
	// least this share, 0 < rate <= 1. Zero: no such condition. With it, a slow
	// probe is a failed probe. It needs SlowCall.
	SlowCallRate float64
	// SlowCall makes a call slow that takes longer, measured to the microsecond.
	// Zero: no call is slow. Without SlowCallRate slow calls are only counted.
	SlowCall time.Duration
	// WindowCalls makes the rates look at that many last results, at most
	// 1,000,000. Zero is 100 when a rate is set and Window is not, and otherwise
	// no such window.
	WindowCalls int
	// Window makes the rates look at the results that ended in the last Window,
	// in WindowBuckets steps of Window/WindowBuckets each: between one step less
	// than Window and Window. Zero: no such window. With both windows set, each
	// rate opens the breaker when it holds in either.
	Window time.Duration
	// WindowBuckets is 1 to 10,000. Default 10.
	WindowBuckets int
	// MinCalls is how many results a window must hold before its rates count.
	// Default 10, or WindowCalls where that is smaller.
	MinCalls int

	// ResetTimeout is how long the breaker stays open: at exactly that distance
	// it is half-open. Default 30 s.
	ResetTimeout time.Duration
	// Probes is how many calls a half-open breaker admits until it decides.
	// Default: SuccessThreshold, or 1.
	Probes int
	// SuccessThreshold is how many consecutive successful probes close the
	// breaker, at most Probes. Default: Probes.
	SuccessThreshold int
	// ProbeFailureRate replaces SuccessThreshold: when all Probes have reported,
	// a share of failures of at least ProbeFailureRate opens the breaker again,
	// and a smaller one closes it. 0 < rate <= 1. Zero: SuccessThreshold decides.
	ProbeFailureRate float64
	// ProbeTimeout opens a half-open breaker again when probes have been in
	// flight for that long without a pause, so that a probe that never returns
	// cannot hold it. Default 1 minute.
	ProbeTimeout time.Duration

	// BackoffFactor multiplies the wait at every reopening: the k-th opening
	// without a close in between, counted from 0, lasts ResetTimeout *
	// BackoffFactor^k. At least 1. Default 1.
	BackoffFactor float64
	// MaxResetTimeout bounds that wait. At least ResetTimeout. Default: none.
	MaxResetTimeout time.Duration
	// Jitter spreads the wait of a reopening uniformly over ±Jitter of itself,
	// before MaxResetTimeout bounds it. 0 to 1. Default 0.
	Jitter float64

	// IsFailure tells failures from successes among the results that are not
	// ignored. It also receives nil errors. Default: every non-nil error.
	IsFailure func(error) bool
	// Ignore chooses results that count as nothing and give their permit back,
	// besides the cancellations described at CountCanceled. It is not asked
	// about nil. Default: none.
	Ignore func(error) bool
	// CountCanceled asks IsFailure about calls that their caller cancelled, too.
	// By default they are ignored: from Do and Call an error that is
	// context.Canceled, or the cause of the cancellation, while the context that
	// was passed in is cancelled; from a Permit any context.Canceled. A deadline
	// is never ignored by default.
	CountCanceled bool

	// OnTransition is called after every transition, once, in order, by one
	// goroutine at a time and without any lock: it may call the breaker. See
	// "Hooks" in the package documentation. Default: none.
	OnTransition func(Transition)
	// LogSize bounds the transition log, of which the latest entries are kept,
	// and the deliveries that wait for a slow OnTransition. Default 1000, at
	// most 1,000,000.
	LogSize int
}

// normalize checks c and fills in its defaults.
func (c Config) normalize() (Config, error) {
	if err := c.check(); err != nil {
		return c, err
	}
	c.Name = orDefault(c.Name, DefaultName)
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	if c.Stream == (tb.Stream{}) {
		c.Stream = tb.NewStream(tb.DefaultSeed, "breaker "+c.Name)
	}
	if c.rated() {
		if c.Window == 0 {
			c.WindowCalls = orDefault(c.WindowCalls, DefaultWindowCalls)
		}
		if c.MinCalls == 0 {
			c.MinCalls = DefaultMinCalls
			if c.WindowCalls > 0 {
				c.MinCalls = min(c.MinCalls, c.WindowCalls)
			}
		}
	} else {
		c.FailureThreshold = orDefault(c.FailureThreshold, DefaultFailureThreshold)
	}
	c.WindowBuckets = orDefault(c.WindowBuckets, DefaultWindowBuckets)
	c.ResetTimeout = orDefault(c.ResetTimeout, DefaultResetTimeout)
	c.Probes = orDefault(c.Probes, max(1, c.SuccessThreshold))
	c.SuccessThreshold = orDefault(c.SuccessThreshold, c.Probes)
	c.ProbeTimeout = orDefault(c.ProbeTimeout, DefaultProbeTimeout)
	c.BackoffFactor = orDefault(c.BackoffFactor, 1)
	c.MaxResetTimeout = orDefault(c.MaxResetTimeout, math.MaxInt64)
	c.LogSize = orDefault(c.LogSize, DefaultLogSize)
	return c, nil
}

// rated reports whether a rate is among the conditions.
func (c *Config) rated() bool { return c.FailureRate > 0 || c.SlowCallRate > 0 }

// slow reports whether a call that took that long is slow.
func (c *Config) slow(took time.Duration) bool {
	return c.SlowCall > 0 && took > c.SlowCall && tb.Round(took) > c.SlowCall
}

// orDefault returns value, or fallback where value is zero.
func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func (c *Config) check() error {
	f := field.Check("breaker: Config")
	f.Count("FailureThreshold", c.FailureThreshold)
	f.Share("FailureRate", c.FailureRate)
	f.Share("SlowCallRate", c.SlowCallRate)
	f.Duration("SlowCall", c.SlowCall)
	f.Count("WindowCalls", c.WindowCalls)
	f.Duration("Window", c.Window)
	f.Count("WindowBuckets", c.WindowBuckets)
	f.Count("MinCalls", c.MinCalls)
	f.Duration("ResetTimeout", c.ResetTimeout)
	f.Count("Probes", c.Probes)
	f.Count("SuccessThreshold", c.SuccessThreshold)
	f.Share("ProbeFailureRate", c.ProbeFailureRate)
	f.Duration("ProbeTimeout", c.ProbeTimeout)
	f.Finite("BackoffFactor", c.BackoffFactor)
	f.Duration("MaxResetTimeout", c.MaxResetTimeout)
	f.Share("Jitter", c.Jitter)
	f.Count("LogSize", c.LogSize)
	if err := f.Result(); err != nil {
		return err // what follows compares fields and would only repeat it
	}
	c.checkWindows(f)
	c.checkRecovery(f)
	f.That(c.LogSize <= maxLogSize, "LogSize", c.LogSize, "is over %d", maxLogSize)
	return f.Result()
}

func (c *Config) checkWindows(f *field.Checker) {
	f.That(c.SlowCallRate == 0 || c.SlowCall > 0, "SlowCallRate", c.SlowCallRate, "is set, but SlowCall is not")
	f.That(c.WindowCalls <= maxWindowCalls, "WindowCalls", c.WindowCalls, "is over %d", maxWindowCalls)
	f.That(c.WindowBuckets <= maxWindowBuckets, "WindowBuckets", c.WindowBuckets, "is over %d", maxWindowBuckets)
	f.That(c.WindowBuckets == 0 || c.Window > 0, "WindowBuckets", c.WindowBuckets, "is set, but Window is not")
	if c.Window > 0 {
		buckets := orDefault(c.WindowBuckets, DefaultWindowBuckets)
		f.That(c.Window >= time.Duration(buckets), "Window", c.Window, "is less than 1ns for each of %d buckets", buckets)
	}
	if !c.rated() {
		const alone = "is set, but neither FailureRate nor SlowCallRate is"
		f.That(c.WindowCalls == 0, "WindowCalls", c.WindowCalls, alone)
		f.That(c.Window == 0, "Window", c.Window, alone)
		f.That(c.MinCalls == 0, "MinCalls", c.MinCalls, alone)
		return
	}
	limit := c.WindowCalls
	if limit == 0 && c.Window == 0 {
		limit = DefaultWindowCalls
	}
	f.That(limit == 0 || c.MinCalls <= limit, "MinCalls", c.MinCalls, "is over WindowCalls, %d", limit)
}

func (c *Config) checkRecovery(f *field.Checker) {
	f.That(c.Probes == 0 || c.SuccessThreshold <= c.Probes, "SuccessThreshold", c.SuccessThreshold, "is over Probes, %d", c.Probes)
	f.That(c.ProbeFailureRate == 0 || c.SuccessThreshold == 0, "ProbeFailureRate", c.ProbeFailureRate,
		"contradicts SuccessThreshold, %d: only one of them can decide", c.SuccessThreshold)
	f.That(c.BackoffFactor == 0 || c.BackoffFactor >= 1, "BackoffFactor", c.BackoffFactor, "is below 1")
	reset := orDefault(c.ResetTimeout, DefaultResetTimeout)
	f.That(c.MaxResetTimeout == 0 || c.MaxResetTimeout >= reset, "MaxResetTimeout", c.MaxResetTimeout, "is below ResetTimeout, %v", reset)
}
