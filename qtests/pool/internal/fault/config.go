package fault

import (
	"cmp"
	"reflect"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Config is what all fakes have in common. See fake.Config.
type Config struct {
	Name           string
	Max            int
	MaxWaiters     int
	AcquireTimeout time.Duration
	Latency        latency.Distribution
	ErrorRate      float64
	Error          error
	Clock          clock.Clock
	Stream         tb.Stream
	EventLog       *event.Log
}

// ConfigOf returns the fields of this Config from those of the same names in the config of a
// fake, which has all of them.
func ConfigOf(fake any) (cfg Config) {
	from, to := reflect.ValueOf(fake), reflect.ValueOf(&cfg).Elem()
	for i := range to.NumField() {
		to.Field(i).Set(from.FieldByName(to.Type().Field(i).Name))
	}
	return cfg
}

// Check reports what is negative or contradictory.
func (cfg Config) Check(c *field.Checker) {
	c.Count("Max", cfg.Max)
	c.Count("MaxWaiters", cfg.MaxWaiters)
	c.Duration("AcquireTimeout", cfg.AcquireTimeout)
	c.Err("Latency", cfg.Latency.Err())
	c.Share("ErrorRate", cfg.ErrorRate)
	c.That(cfg.Error == nil || cfg.ErrorRate > 0, "Error", cfg.Error, "needs an ErrorRate")
}

// WithDefaults fills in the zero fields. The kind is the default name and begins the
// name of the stream.
func (cfg Config) WithDefaults(t tb.TB, kind string, most int) Config {
	t.Helper()
	cfg.Name = cmp.Or(cfg.Name, kind)
	cfg.Max = cmp.Or(cfg.Max, most)
	cfg.Clock = cmp.Or(cfg.Clock, tb.ClockOf(t))
	cfg.Stream = cmp.Or(cfg.Stream, tb.StreamOf(t, kind+" "+cfg.Name))
	cfg.EventLog = cmp.Or(cfg.EventLog, tb.EventLogOf(t))
	if cfg.Error == nil {
		cfg.Error = ErrInjected
	}
	return cfg
}
