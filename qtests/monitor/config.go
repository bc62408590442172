package monitor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/field"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
)

// The defaults of a Config.
const (
	DefaultInterval   = 10 * time.Second
	DefaultRetention  = 8 * 24 * time.Hour
	DefaultMaxSamples = 70_000
	DefaultMaxSeries  = 10_000
)

// A Config says what a Monitor scrapes, what it keeps and when it alerts. The
// zero value scrapes nothing every ten seconds.
type Config struct {
	// Disabled makes a monitor that never scrapes by itself.
	Disabled bool
	// Clock is what the monitor waits on. Nil is the real clock.
	Clock clock.Clock
	// Interval is the time between two scrapes, at least a millisecond. Zero is
	// DefaultInterval. Rules are evaluated with every scrape.
	Interval time.Duration
	// Timeout is how long one gatherer may take before its part of a scrape
	// fails. Zero is Interval.
	Timeout time.Duration

	// Gatherers are what is scraped, in this order: the registry of the system
	// under test, for example. They may not be nil.
	Gatherers []prometheus.Gatherer
	// Targets are scraped after the gatherers, with the labels that a scrape config gives
	// them: see [Target].
	Targets []Target
	// Collectors are registered in a registry of the monitor, which is scraped after the
	// gatherers. Breakers, pools and fakes are collectors.
	Collectors []prometheus.Collector

	// NativeHistograms reads the native part of histograms as well, under the metric's own
	// name, beside the classic buckets: as scrape_native_histograms does in Prometheus
	// together with always_scrape_classic_histograms. The monitor's own reader of PromQL
	// refuses such series; module promql evaluates them. A sample takes what its buckets
	// take, and eight bytes where it is the same as the one before.
	NativeHistograms bool

	// Runtime scrapes the real process as well: heap, goroutines, GC, scheduler and
	// memory, as metrics whose names begin with real_. Under a fake clock they belong to
	// another time than all other series and differ from run to run. Rules do not see
	// them there, unless AlertOnReal is set.
	Runtime, AlertOnReal bool

	// Retention is for how long samples are kept at least. Zero is DefaultRetention.
	Retention time.Duration
	// MaxSamples bounds the samples of one series, rounded up to whole blocks of
	// 128. Zero is DefaultMaxSamples, eight days at ten seconds.
	MaxSamples int
	// MaxSeries bounds the series, up and recorded ones included. A gatherer that would exceed it fails, as a
	// whole, with an error that names its largest metric. Zero is DefaultMaxSeries.
	MaxSeries int

	// Rules are the alerts. Their names may repeat, as in Prometheus.
	Rules []Rule
	// ExternalLabels are what templates see as $externalLabels. A notification has them
	// beside the labels of every alert that does not have its own.
	ExternalLabels map[string]string
	// ExternalURL is what templates see as $externalURL and externalURL. Empty is none.
	ExternalURL string
	// Compile makes the evaluators of the rules' expressions. Nil is the monitor's
	// own reader, for which see "Expressions" in the package doc; module promql
	// has Prometheus' own engine.
	Compile Compiler
	// Channels receive the notifications that Route makes of the alerts, unless
	// Silences or Inhibitions mute them.
	Channels []Channel
	// Receivers are the channels that a route names; see Route.Receiver.
	Receivers   []Receiver
	Route       Route
	Silences    []Silence
	Inhibitions []Inhibition
	// EventLog receives a mark for every change of an alert. Nil is none.
	EventLog *event.Log
	// Panels are expressions that the dashboard and the report of package load draw over
	// time, a line for each series: rate(http_requests_total[1m]). They are read by the
	// monitor's own reader of PromQL.
	Panels []string
}

// withDefaults returns the config with its zero fields filled in, or an error
// that names what is wrong.
func (c Config) withDefaults() (Config, error) {
	err := c.validate()
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Timeout = cmp.Or(c.Timeout, c.Interval)
	c.Retention = cmp.Or(c.Retention, DefaultRetention)
	c.MaxSamples = cmp.Or(c.MaxSamples, DefaultMaxSamples)
	c.MaxSeries = cmp.Or(c.MaxSeries, DefaultMaxSeries)
	c.Route = c.Route.withDefaults()
	c.Gatherers = slices.Clone(c.Gatherers)
	c.Targets = slices.Clone(c.Targets)
	c.Collectors = slices.Clone(c.Collectors)
	c.Rules = slices.Clone(c.Rules)
	c.ExternalLabels = maps.Clone(c.ExternalLabels)
	c.Channels = slices.Clone(c.Channels)
	c.Receivers = slices.Clone(c.Receivers)
	c.Silences = slices.Clone(c.Silences)
	c.Inhibitions = slices.Clone(c.Inhibitions)
	c.Panels = slices.Clone(c.Panels)
	return c, err
}

func (c Config) validate() error {
	check := field.Check("monitor: Config")
	check.Duration("Interval", c.Interval)
	check.Duration("Timeout", c.Timeout)
	check.Duration("Retention", c.Retention)
	check.Count("MaxSamples", c.MaxSamples)
	check.Count("MaxSeries", c.MaxSeries)
	check.That(c.Interval == 0 || c.Interval >= time.Millisecond, "Interval", c.Interval, "is less than a millisecond")
	for i, g := range c.Gatherers {
		check.That(g != nil, fmt.Sprintf("Gatherers[%d]", i), "nil", "is no gatherer")
	}
	for i, x := range c.Targets {
		x.check(check, i, c.Targets[:i])
	}
	for i, x := range c.Collectors {
		check.That(x != nil, fmt.Sprintf("Collectors[%d]", i), "nil", "is no collector")
	}
	for i, x := range c.Panels {
		_, err := query.Parse(x)
		check.Err(fmt.Sprintf("Panels[%d]", i), err)
	}
	for i, x := range c.Channels {
		check.That(x != nil, fmt.Sprintf("Channels[%d]", i), "nil", "is no channel")
	}
	for i, x := range c.Receivers {
		x.check(check, i, c.Receivers[:i])
	}
	c.Route.check(check, "Route", c.Receivers, true)
	for i, s := range c.Silences {
		s.check(check, i)
	}
	for i, in := range c.Inhibitions {
		in.check(check, i)
	}
	return check.Result()
}
