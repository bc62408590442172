package monitor

import (
	"context"
	"fmt"
	"slices"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/monitor/internal/global"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/process"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
	"github.com/go-qtests/qtests/qtests/tb"
)

// New starts a monitor. Its first scrape is one interval from now. The error
// names the field of the Config that is wrong. Close it.
func New(cfg Config) (*Monitor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Monitor{cfg: cfg, clk: cfg.Clock, scraping: make(chan struct{}, 1), kick: make(chan struct{}, 1), templateQueries: map[string]*expression{}}
	m.hideReal = isFake(m.clk) && !cfg.AlertOnReal
	var memo query.Memo
	for i, r := range cfg.Rules {
		made, err := newRule(r, i, cfg.Compile)
		if err != nil {
			return nil, err
		}
		if made.expr != nil {
			memo.Add(made.expr)
		}
		m.rules = append(m.rules, made)
	}
	if err := m.addSources(); err != nil {
		return nil, err
	}
	m.start = m.clk.Now()
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.mu.history = history.New(history.Limits{Retention: int64(cfg.Retention), Samples: cfg.MaxSamples, Series: cfg.MaxSeries})
	m.mu.timeline.log = cfg.EventLog
	m.mu.muting = muting{m.start, cfg.Silences, cfg.Inhibitions}
	m.startReceivers()
	if cfg.Disabled {
		return m, nil
	}
	// The timer is armed here and not in the goroutine, so that it is there when
	// New returns: a mock clock may be moved right after.
	timer := m.clk.Timer(cfg.Interval)
	m.loops.Add(1)
	go func() {
		defer m.loops.Done()
		m.run(timer)
	}()
	return m, nil
}

// addSources makes the sources: the gatherers, the collectors, the real process.
func (m *Monitor) addSources() error {
	for i, g := range m.cfg.Gatherers {
		m.sources = append(m.sources, newSource(sourceName(i), g))
	}
	for _, t := range m.cfg.Targets {
		s := newSource(t.String(), t.Gatherer)
		s.target, s.labels = &t, t.labels()
		m.sources = append(m.sources, s)
	}
	if len(m.cfg.Collectors) > 0 {
		registry := prometheus.NewRegistry()
		for i, c := range m.cfg.Collectors {
			if err := register(registry, c); err != nil {
				return fmt.Errorf("monitor: Config.Collectors[%d]: %w", i, err)
			}
		}
		m.sources = append(m.sources, newSource("collectors", registry))
	}
	if m.cfg.Runtime {
		registry := prometheus.NewRegistry()
		registry.MustRegister(process.NewCollector())
		m.sources = append(m.sources, newSource("runtime", registry))
	}
	for _, s := range m.sources {
		s.native = m.cfg.NativeHistograms
	}
	return nil
}

// register adds a collector. Its Describe is tried first: the registry calls it on
// a goroutine of its own, where its panic could not be recovered.
func register(r *prometheus.Registry, c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	failed := make(chan error, 1)
	go usercode.Run(func() error { c.Describe(descs); return nil }, func(err error) {
		failed <- usercode.Blame("Describe", err)
		close(descs)
	})
	for range descs {
	}
	if err := <-failed; err != nil {
		return err
	}
	return r.Register(c)
}

// NewT is New for a test: clock and event log come from t unless cfg sets them, a
// wrong config fails t, and the monitor is closed when t ends. A gatherer that
// exceeded Config.MaxSeries fails t then. So does, at once, a second test that scrapes the
// registry of the process: see "Scraping" in the package doc.
func NewT(t tb.TB, cfg Config) *Monitor {
	t.Helper()
	if cfg.Clock == nil {
		cfg.Clock = tb.ClockOf(t)
	}
	if cfg.EventLog == nil {
		cfg.EventLog = tb.EventLogOf(t)
	}
	m, err := New(cfg)
	if err != nil {
		tb.Fatalf(t, "%v", err)
	}
	m.test = t.Name()
	m.alone(t)
	t.Cleanup(func() {
		t.Helper()
		m.Close()
		if err := m.Status().LimitError; err != nil {
			t.Errorf("%v", err)
		}
	})
	return m
}

// alone fails t where it and a test that runs at the same time scrape the registry of the
// process.
func (m *Monitor) alone(t tb.TB) {
	t.Helper()
	process, _ := prometheus.DefaultGatherer.(*prometheus.Registry)
	if !slices.ContainsFunc(m.sources, func(s *source) bool {
		r, ok := s.gatherer.(*prometheus.Registry)
		return ok && r == process
	}) {
		return
	}
	other := global.Enter(m.test)
	t.Cleanup(func() { global.Leave(m.test) })
	if other != "" {
		t.Errorf("monitor: %s scrapes prometheus.DefaultGatherer, the registry of the process, while %s does: each sees what the other counts. "+
			"Give each test a registry of its own, as with promauto.With(registry), or let one run after the other", m.test, other)
	}
}

// isFake reports whether a clock is any but package time's outside a bubble.
func isFake(c clock.Clock) bool {
	return !bubble.OfPackageTime(c) || stacks.InBubble()
}
