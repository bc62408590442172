package fake

import (
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Config describes a [Fake]. The configs of the other fakes have these fields, too,
// with the same meaning. The zero value is usable.
type Config struct {
	// Name is the label in metrics, errors, events and the pool's log. Default "fake".
	Name string
	// Max is how many calls may be under way at once, as if each needed one of so
	// many connections. 0: no limit.
	Max int
	// MaxWaiters and AcquireTimeout are those of pool.Config.
	MaxWaiters     int
	AcquireTimeout time.Duration

	// Latency of each call. Default none.
	Latency latency.Distribution
	// ErrorRate is the probability from 0 to 1 that a call fails with Error when
	// its latency is over. Error defaults to [ErrInjected].
	ErrorRate float64
	Error     error

	// Clock, Stream and EventLog replace the test's clock, the stream "fake NAME"
	// of its seed, and its event log.
	Clock    clock.Clock
	Stream   tb.Stream
	EventLog *event.Log
}

func (cfg Config) validate() error {
	c := field.Check("fake: Config")
	fault.Config(cfg).Check(c)
	c.That(cfg.MaxWaiters <= 0 || cfg.Max > 0, "MaxWaiters", cfg.MaxWaiters, "needs a Max")
	return c.Result()
}
