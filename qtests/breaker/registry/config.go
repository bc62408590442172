package registry

import (
	"cmp"
	"fmt"

	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// defaultMax is the default of [Config].Max.
const defaultMax = 1000

// A Config describes a [Registry].
type Config struct {
	// Default is the Config of every breaker without an override. Its Name must
	// be empty: Get gives the names.
	Default breaker.Config
	// Overrides replaces Default, as a whole, for the names in it. What an
	// override leaves open of Clock, Stream, EventLog, OnTransition and Hooks it takes
	// from Default. New copies the map.
	Overrides map[string]breaker.Config
	// Max is how many breakers the registry holds. Default 1000.
	Max int
}

// normalize checks c and fills in its defaults.
func (c Config) normalize() (Config, error) {
	f := field.Check("registry: Config")
	f.Count("Max", c.Max)
	f.That(c.Default.Name == "", "Default.Name", fmt.Sprintf("%q", c.Default.Name), "is set, but Get gives the names")
	f.Err("Default", check(c.Default))
	overrides := make(map[string]breaker.Config, len(c.Overrides))
	for _, name := range text.SortedKeys(c.Overrides) {
		o, at := c.Overrides[name], fmt.Sprintf("Overrides[%q]", name)
		f.That(o.Name == "" || o.Name == name, at+".Name", fmt.Sprintf("%q", o.Name), "is not the name it is for")
		f.Err(at, check(o))
		overrides[name] = o
	}
	c.Overrides, c.Max = overrides, cmp.Or(c.Max, defaultMax)
	if c.Default.Hooks == nil {
		c.Default.Hooks = new(breaker.Hooks)
	}
	return c, f.Result()
}

// check returns what is wrong with the Config of a breaker, by making one in vain.
func check(c breaker.Config) error {
	c.EventLog, c.OnTransition = nil, nil // making one forced open is a transition
	_, err := breaker.New(c)
	return err
}

// named returns the Config of the breaker called name.
func (c *Config) named(name string) breaker.Config {
	base := c.Default
	b, own := c.Overrides[name]
	if !own {
		b = base
	}
	b.Name = name
	if b.Clock == nil {
		b.Clock = base.Clock
	}
	if b.EventLog == nil {
		b.EventLog = base.EventLog
	}
	if b.OnTransition == nil {
		b.OnTransition = base.OnTransition
	}
	if b.Hooks == nil {
		b.Hooks = base.Hooks
	}
	if !own || b.Stream == (tb.Stream{}) {
		b.Stream = base.Stream
		if b.Stream != (tb.Stream{}) {
			b.Stream = b.Stream.Sub(name) // or all breakers would draw the same jitter
		}
	}
	return b
}
