package breaker

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Defaults of the zero fields of a [Config], which are documented there.
const (
	defaultName             = "breaker"
	defaultFailureThreshold = 5
	defaultResetTimeout     = 30 * time.Second
	defaultProbeTimeout     = time.Minute
	defaultWindowCalls      = 100
	defaultWindowBuckets    = 10
	defaultMinCalls         = 10
	defaultLogSize          = 1000
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
	// Name is the label of the metrics and the source in the event log, where a name that is
	// not UTF-8 is quoted as in Go. Default "breaker".
	Name string
	// Clock is the only source of time. Default: the real clock, which inside a
	// synctest bubble is fake. NewT takes the clock of its test.
	Clock clock.Clock
	// Stream draws the jitter. Default: New draws a stream, so that the replicas of a
	// program do not probe in step. NewT takes the stream "breaker NAME" of the seed of its
	// test, so that a run repeats.
	Stream tb.Stream
	// EventLog receives a mark for every transition: source "breaker NAME", text
	// "closed → open: 5 consecutive failures". Default: none. NewT takes the
	// log of its test.
	EventLog *event.Log
	// Mode is the mode in which the breaker begins. Default Automatic.
	Mode Mode

	// FailureThreshold opens the breaker after that many consecutive failures.
	// Zero is 5 when none of FailureRate, SlowCallRate, WindowFailures and TripWhen is
	// set, and otherwise no such condition.
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
	// WindowFailures opens the breaker when that many results in a window are failures,
	// whatever MinCalls is. With Window, it is that many failures in a period. Zero: no
	// such condition.
	WindowFailures int
	// TripWhen opens the breaker when it returns true. It is asked after every success and
	// every failure of a closed breaker that no other condition opens, without any lock,
	// and by several goroutines at once when calls end at once. It gets the counts as they
	// were behind that result. Its answer has no effect when the breaker has changed its
	// state meanwhile. Default: none.
	TripWhen func(Counts) bool
	// WindowCalls makes the rates and WindowFailures look at that many last results, at
	// most 1,000,000. Zero is 100 when one of them is set and Window is not, and otherwise
	// no such window.
	WindowCalls int
	// Window makes the rates and WindowFailures look at the results that ended in the last
	// Window, in WindowBuckets steps of Window/WindowBuckets each: between one step less
	// than Window and Window. Zero: no such window. With both windows set, each
	// condition opens the breaker when it holds in either.
	Window time.Duration
	// WindowBuckets is 1 to 10,000. Default 10.
	WindowBuckets int
	// MinCalls is how many results a window must hold before its rates count.
	// Default 10, or WindowCalls where that is smaller.
	MinCalls int

	// ResetTimeout is how long the breaker stays open: at exactly that distance
	// it is half-open, unless there is Jitter. Default 30 s.
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
	// ProbeTimeout opens a half-open breaker again when one probe has been in
	// flight for that long, so that a probe that never returns cannot hold it.
	// Default 1 minute.
	ProbeTimeout time.Duration

	// BackoffFactor multiplies the wait at every reopening: the k-th opening
	// without a close in between, counted from 0, lasts ResetTimeout *
	// BackoffFactor^k. At least 1. Default 1.
	BackoffFactor float64
	// MaxResetTimeout bounds that wait, jitter included, and what OpenFor asks for. At
	// least ResetTimeout. Default: none.
	MaxResetTimeout time.Duration
	// Jitter spreads every wait uniformly over ±Jitter of itself, the first one included.
	// What would be over MaxResetTimeout is cut off before the draw. 0 to 1. Default 0.
	Jitter float64
	// OpenFor says how long the breaker is to stay open when a failed call opens it, for
	// example as a Retry-After asks for. It is asked about every failure that returned, with
	// its error, and without any lock. Zero and less: the back-off decides. Jitter only makes
	// the time longer. Default: none.
	OpenFor func(error) time.Duration

	// IsFailure tells failures from successes among the results that are not
	// ignored. It also receives nil errors. Default: every non-nil error.
	IsFailure func(error) bool
	// Ignore chooses results that count as nothing and give their permit back,
	// besides the cancellations described at CountCanceled. It is not asked
	// about nil. Default: none.
	Ignore func(error) bool
	// CountCanceled asks IsFailure about calls that their caller cancelled, too.
	// By default they are ignored: from Do, Call and CallJudged an error that is
	// context.Canceled, or the cause of the cancellation, while the context that
	// was passed in is cancelled; from a Permit any context.Canceled. A deadline
	// is never ignored by default.
	CountCanceled bool

	// OnTransition is called after every transition, once, in order, by one
	// goroutine at a time and without any lock: it may call the breaker. See
	// "Hooks" in the package documentation. Default: none.
	OnTransition func(Transition)
	// Hooks joins breakers whose OnTransition is one function: breakers with the same Hooks
	// call it one at a time, too. Default: Hooks of its own.
	Hooks *Hooks
	// Punctual makes a transition that time causes happen at its instant, when a call or a
	// look would otherwise find it later: OnTransition comes in time also without traffic.
	// A timer of Clock calls it then, so that a panic in OnTransition ends the program.
	Punctual bool
	// LogSize is how many transitions the log keeps, which are the latest ones, and how
	// many deliveries wait for a slow OnTransition. Default 1000, at most 1,000,000.
	LogSize int
}

// of returns c with the clock, the seed and the event log of t.
func (c Config) of(t tb.TB) Config {
	t.Helper()
	if c.Clock == nil {
		c.Clock = tb.ClockOf(t)
	}
	if c.Stream == (tb.Stream{}) {
		c.Stream = tb.StreamOf(t, "breaker "+orDefault(c.Name, defaultName))
	}
	if c.EventLog == nil {
		c.EventLog = tb.EventLogOf(t)
	}
	return c
}

// normalize checks c and fills in its defaults.
func (c Config) normalize() (Config, error) {
	if err := c.check(); err != nil {
		return c, err
	}
	c.Name = orDefault(c.Name, defaultName)
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	if c.Stream == (tb.Stream{}) {
		c.Stream = tb.NewStream(rand.Uint64(), "breaker "+c.Name)
	}
	if c.Hooks == nil {
		c.Hooks = new(Hooks)
	}
	c.fillConditions()
	c.WindowBuckets = orDefault(c.WindowBuckets, defaultWindowBuckets)
	c.ResetTimeout = orDefault(c.ResetTimeout, defaultResetTimeout)
	c.Probes = orDefault(c.Probes, max(1, c.SuccessThreshold))
	c.SuccessThreshold = orDefault(c.SuccessThreshold, c.Probes)
	c.ProbeTimeout = orDefault(c.ProbeTimeout, defaultProbeTimeout)
	c.BackoffFactor = orDefault(c.BackoffFactor, 1)
	c.MaxResetTimeout = orDefault(c.MaxResetTimeout, math.MaxInt64)
	c.LogSize = orDefault(c.LogSize, defaultLogSize)
	return c, nil
}

// fillConditions fills in the defaults of the conditions and their windows.
func (c *Config) fillConditions() {
	if c.windowed() {
		if c.Window == 0 {
			c.WindowCalls = orDefault(c.WindowCalls, defaultWindowCalls)
		}
	} else if c.TripWhen == nil {
		c.FailureThreshold = orDefault(c.FailureThreshold, defaultFailureThreshold)
	}
	if c.rated() && c.MinCalls == 0 {
		c.MinCalls = defaultMinCalls
		if c.WindowCalls > 0 {
			c.MinCalls = min(c.MinCalls, c.WindowCalls)
		}
	}
}

// rated reports whether a rate is among the conditions.
func (c *Config) rated() bool { return c.FailureRate > 0 || c.SlowCallRate > 0 }

// windowed reports whether a condition looks at a window.
func (c *Config) windowed() bool { return c.rated() || c.WindowFailures > 0 }

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
	f.That(c.Mode.exists(), "Mode", c.Mode, "does not exist")
	f.Count("FailureThreshold", c.FailureThreshold)
	f.Share("FailureRate", c.FailureRate)
	f.Share("SlowCallRate", c.SlowCallRate)
	f.Count("WindowFailures", c.WindowFailures)
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
		buckets := orDefault(c.WindowBuckets, defaultWindowBuckets)
		f.That(c.Window >= time.Duration(buckets), "Window", c.Window, "is less than 1ns for each of %d buckets", buckets)
	}
	if !c.rated() {
		f.That(c.MinCalls == 0, "MinCalls", c.MinCalls, "is set, but neither FailureRate nor SlowCallRate is")
	}
	if !c.windowed() && c.TripWhen == nil {
		const alone = "is set, but none of FailureRate, SlowCallRate, WindowFailures and TripWhen is"
		f.That(c.WindowCalls == 0, "WindowCalls", c.WindowCalls, alone)
		f.That(c.Window == 0, "Window", c.Window, alone)
		return
	}
	limit := c.WindowCalls
	if limit == 0 && c.Window == 0 {
		limit = defaultWindowCalls
	}
	f.That(limit == 0 || c.MinCalls <= limit, "MinCalls", c.MinCalls, "is over WindowCalls, %d", limit)
	f.That(c.Window > 0 || c.WindowFailures <= limit, "WindowFailures", c.WindowFailures, "is over WindowCalls, %d", limit)
}

func (c *Config) checkRecovery(f *field.Checker) {
	f.That(c.Probes == 0 || c.SuccessThreshold <= c.Probes, "SuccessThreshold", c.SuccessThreshold, "is over Probes, %d", c.Probes)
	f.That(c.ProbeFailureRate == 0 || c.SuccessThreshold == 0, "ProbeFailureRate", c.ProbeFailureRate,
		"contradicts SuccessThreshold, %d: only one of them can decide", c.SuccessThreshold)
	f.That(c.BackoffFactor == 0 || c.BackoffFactor >= 1, "BackoffFactor", c.BackoffFactor, "is below 1")
	reset := orDefault(c.ResetTimeout, defaultResetTimeout)
	f.That(c.MaxResetTimeout == 0 || c.MaxResetTimeout >= reset, "MaxResetTimeout", c.MaxResetTimeout, "is below ResetTimeout, %v", reset)
}
