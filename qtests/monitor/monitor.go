package monitor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/internal/bubble"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/global"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/query"
	"github.com/go-qtests/qtests/qtests/tb"
)

// A Monitor scrapes, remembers and alerts. Make one with New or NewT. All
// methods are safe for concurrent use.
type Monitor struct {
	cfg     Config
	clk     clock.Clock
	start   time.Time
	sources []*source
	rules   []*rule
	// receivers are the channels.
	receivers []*receiver

	tenancy bubble.Tenancy

	// scraping is the token of the one scrape under way. It is a channel, because a
	// gatherer may sleep: a goroutine that waits for a mutex stops the time of a bubble.
	// Only its holder writes the history.
	scraping chan struct{}
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	loops    sync.WaitGroup
	closed   sync.Once
	test     string // that made the monitor
	hideReal bool   // from the rules
	// templateQueries are expressions of templates, which the holder of the scraping token
	// keeps ready.
	templateQueries map[string]*expression
	alerts          []alert.Alert // of the last scrape, which the holder writes anew
	kick            chan struct{} // tells the loop that the dispatcher may be due earlier

	// mu is never held while waiting or while code of the user runs: see locked.
	mu struct {
		sync.Mutex
		state
	}
}

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

// startReceivers makes the routes, and a goroutine for every channel.
func (m *Monitor) startReceivers() {
	behind := map[string][]alert.Target{}
	add := func(name string, c Channel, firingOnly bool) {
		n := len(m.receivers)
		behind[name] = append(behind[name], alert.Target{Number: n, FiringOnly: firingOnly})
		r := newReceiver(n, c, name)
		m.receivers = append(m.receivers, r)
		m.loops.Add(1)
		go func() {
			defer m.loops.Done()
			m.serve(r)
		}()
	}
	for _, c := range m.cfg.Channels {
		add("", c, false)
	}
	for _, r := range m.cfg.Receivers {
		for _, c := range r.Channels {
			add(r.Name, c, r.FiringOnly)
		}
	}
	m.mu.dispatcher = alert.NewTree(m.cfg.Route.node("{}", behind), m.mu.muting.muted)
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
		registry.MustRegister(newRealSource())
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

// run scrapes at start + k*interval, and looks at the groups of alerts when they
// are due, for ever.
func (m *Monitor) run(timer *clock.Timer) {
	for k := int64(1); ; {
		select {
		case <-timer.C:
		case <-m.kick:
			timer.Stop()
		case <-m.ctx.Done():
			timer.Stop()
			return
		}
		now := m.clk.Now()
		if at := m.nominal(k); !now.Before(at) {
			k = m.tick(k, now)
		}
		m.flushDue(now)
		timer = m.clk.Timer(max(0, m.clk.Until(m.next(k))))
	}
}

// nominal returns the instant of the k-th scrape.
func (m *Monitor) nominal(k int64) time.Time {
	return m.start.Add(time.Duration(k) * m.cfg.Interval)
}

// tick makes the k-th scrape and returns the number of the next. Instants that
// have already passed when their turn comes are left out and counted.
func (m *Monitor) tick(k int64, now time.Time) int64 {
	if missed := int64(now.Sub(m.nominal(k)) / m.cfg.Interval); missed > 0 {
		m.locked(func(s *state) { s.status.Missed += missed })
		k += missed
	}
	_ = m.scrape(m.ctx, m.nominal(k)) // kept in the status
	return k + 1
}

// next returns when the loop has to do something: the k-th scrape or a look at a
// group.
func (m *Monitor) next(k int64) time.Time {
	at := m.nominal(k)
	m.locked(func(s *state) {
		if due, ok := s.dispatcher.Due(); ok && due.Before(at) {
			at = due
		}
	})
	return at
}

// flushDue looks at the groups that are due between two scrapes.
func (m *Monitor) flushDue(now time.Time) {
	m.locked(func(s *state) {
		if due, ok := s.dispatcher.Due(); ok && !due.After(now) {
			m.flush(s, due)
		}
	})
}

// Start returns the instant at which the monitor was made: scrapes happen at
// Start + k*Interval.
func (m *Monitor) Start() time.Time { return m.start }

// Interval returns the time between two scrapes.
func (m *Monitor) Interval() time.Duration { return m.cfg.Interval }

// EventLog returns the log that receives a mark for every change of an alert, or nil.
func (m *Monitor) EventLog() *event.Log { return m.cfg.EventLog }

// Close gives up the scrape under way, if there is one, and returns when scraping has
// stopped. It does not wait for a gatherer or a channel that blocks: their contexts have
// ended. Notifications that are not delivered by then are dropped. History and alerts
// stay readable. Close does not scrape: call Scrape before it to see the last values.
// Further calls do nothing.
func (m *Monitor) Close() {
	m.cancel()
	m.loops.Wait()
	m.closed.Do(m.cover)
}
