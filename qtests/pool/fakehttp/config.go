package fakehttp

import (
	"math"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tb"
)

// DefaultMax is the default of Config.Max.
const DefaultMax = 100

// maxBandwidth is no limit.
const maxBandwidth = math.MaxInt64

// Config describes a [Fake]. The zero value is usable.
type Config struct {
	// Name is the label in metrics, errors, events and the pools' log. Default "http".
	Name string
	// Max is how many connections there may be to one host. Default 100.
	Max int
	// MaxWaiters, AcquireTimeout, MaxIdleTime and Stacks are those of
	// pool.Config, for the pool of each host.
	MaxWaiters     int
	AcquireTimeout time.Duration
	MaxIdleTime    time.Duration
	Stacks         bool

	// ConnectLatency is how long a new connection takes to open. Default none. One
	// that takes longer than 30s fails.
	ConnectLatency latency.Distribution
	// Latency is the time from the request to the first byte of the answer.
	// Default none.
	Latency latency.Distribution
	// Bandwidth limits each body, in bytes a second. 0: no limit.
	Bandwidth int64
	// ErrorRate is the probability from 0 to 1 that a request fails with Error when
	// its latency is over. Error defaults to [fake.ErrInjected].
	ErrorRate float64
	Error     error

	// AllowUnexpected lets a test pass in which no route answered a request. The request
	// fails all the same.
	AllowUnexpected bool

	// Clock, Stream and EventLog replace the test's clock, the stream "http NAME" of
	// its seed, and its event log.
	Clock    clock.Clock
	Stream   tb.Stream
	EventLog *event.Log
}

func (cfg Config) validate() error {
	c := field.Check("fakehttp: Config")
	fault.ConfigOf(cfg).Check(c)
	c.Duration("MaxIdleTime", cfg.MaxIdleTime)
	c.Err("ConnectLatency", cfg.ConnectLatency.Err())
	c.That(cfg.Bandwidth >= 0, "Bandwidth", cfg.Bandwidth, "is negative")
	return c.Result()
}

// bandwidth returns the limit of each body, or maxBandwidth.
func (cfg Config) bandwidth() float64 {
	if cfg.Bandwidth > 0 {
		return float64(cfg.Bandwidth)
	}
	return maxBandwidth
}
