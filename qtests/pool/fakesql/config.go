package fakesql

import (
	"database/sql/driver"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/pool/internal/fault"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Config describes a [Fake]. The zero value is usable.
type Config struct {
	// Name is the label in metrics, errors, events and the pool's log. Default "sql".
	Name string
	// Max is how many connections there may be. Default 10.
	Max int
	// MaxWaiters, AcquireTimeout, MaxLifetime, MaxIdleTime and Stacks are those of
	// pool.Config, for the pool of connections.
	MaxWaiters     int
	AcquireTimeout time.Duration
	MaxLifetime    time.Duration
	MaxIdleTime    time.Duration
	Stacks         bool

	// Latency of each query, statement, begin, commit, rollback and ping, and of
	// the first preparation of a statement on a connection. Default none.
	Latency latency.Distribution
	// ConnectLatency is how long a new connection takes to open. Default none. One
	// that takes longer than 30s fails.
	ConnectLatency latency.Distribution
	// ErrorRate is the probability from 0 to 1 that a query or statement fails
	// with Error when its latency is over. Error defaults to [fake.ErrInjected].
	ErrorRate float64
	Error     error

	// Matcher decides whether a query is the one that a stub or an expectation
	// names. Default sqlmock.QueryMatcherEqual: the same text, white space aside.
	Matcher sqlmock.QueryMatcher
	// Converter turns arguments into driver values. Default
	// driver.DefaultParameterConverter.
	Converter driver.ValueConverter
	// Setup, if set, is called with each new connection's number, from 1, and its
	// own go-sqlmock, which from then on sees all that no stub answers on this
	// connection, transactions and pings included. What it expects is not verified
	// at the end: which connection serves a query is the pool's choice.
	Setup func(conn int, mock sqlmock.Sqlmock)
	// MonitorPings makes go-sqlmock, where it answers, want each ping expected.
	MonitorPings bool

	// AllowUnexpected lets a test pass in which there was a call that no stub and no
	// expectation answers. The call fails all the same.
	AllowUnexpected bool

	// Clock, Stream and EventLog replace the test's clock, the stream "sql NAME" of
	// its seed, and its event log.
	Clock    clock.Clock
	Stream   tb.Stream
	EventLog *event.Log
}

func (cfg Config) validate() error {
	c := field.Check("fakesql: Config")
	fault.ConfigOf(cfg).Check(c)
	c.Duration("MaxLifetime", cfg.MaxLifetime)
	c.Duration("MaxIdleTime", cfg.MaxIdleTime)
	c.Err("ConnectLatency", cfg.ConnectLatency.Err())
	return c.Result()
}

// mocks returns the options of the go-sqlmocks.
func (cfg Config) mocks() mockOptions {
	o := plainMock
	o.pings = cfg.MonitorPings
	if cfg.Matcher != nil {
		o.matcher = cfg.Matcher
	}
	if cfg.Converter != nil {
		o.converter = cfg.Converter
	}
	return o
}
