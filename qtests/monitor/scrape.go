package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/event"
	"github.com/go-qtests/qtests/qtests/tb"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
	"github.com/go-qtests/qtests/qtests/monitor/internal/template"
)

// Scrape scrapes and evaluates the rules at this instant, between the regular
// scrapes, and returns the errors of the gatherers. Where the instant has
// been scraped already, the new values take the place of the old.
func (m *Monitor) Scrape() error {
	err := m.scrape(m.ctx, m.clk.Now())
	select {
	case m.kick <- struct{}{}: // the loop may have to wake earlier now
	default:
	}
	return err
}

// scrape makes one scrape, whose samples have the given instant.
func (m *Monitor) scrape(ctx context.Context, at time.Time) error {
	if err := m.tenancy.Use(m.clk, "the", "monitor"); err != nil {
		return err
	}
	select {
	case m.scraping <- struct{}{}:
		defer func() { <-m.scraping }()
	case <-ctx.Done():
		return ErrClosed
	}
	all := make([]gathered, 0, len(m.sources))
	for _, s := range m.sources {
		g := m.gather(ctx, s)
		if ctx.Err() != nil {
			return ErrClosed
		}
		all = append(all, g)
	}
	return m.record(ctx, at, all)
}

// gather calls the gatherer of a source.
func (m *Monitor) gather(ctx context.Context, s *source) gathered {
	down := false
	m.locked(func(*state) { down = s.down > 0 })
	if down {
		return gathered{source: s, err: fmt.Errorf("monitor: %s: %w", s.name, ErrDown)}
	}
	var families []*dto.MetricFamily
	begin := m.clk.Now()
	err := s.do(ctx, m.clk, m.cfg.Timeout, func(context.Context) error {
		fs, err := s.gatherer.Gather()
		families = fs
		if err != nil {
			return fmt.Errorf("monitor: %s: %w", s.name, err)
		}
		return nil
	})
	if err != nil {
		// Not families: a gatherer that was given up may still write them.
		return gathered{source: s, err: err, took: tb.Round(m.clk.Since(begin))}
	}
	return gathered{source: s, families: families, took: tb.Round(m.clk.Since(begin))}
}

// Gather gathers afresh what a scrape reads, and adds nothing to the history. It waits
// for a scrape under way. Each Gatherer returns what one source brought, or its error.
// The error of Gather is the error of ctx, or ErrClosed.
func (m *Monitor) Gather(ctx context.Context) (prometheus.Gatherers, error) {
	select {
	case m.scraping <- struct{}{}:
		defer func() { <-m.scraping }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var all prometheus.Gatherers
	for _, s := range m.sources {
		g := m.gather(ctx, s)
		if errors.Is(g.err, ErrClosed) {
			return nil, cmp.Or(ctx.Err(), ErrClosed)
		}
		all = append(all, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return g.families, g.err }))
	}
	return all, nil
}

// record writes a scrape into the history and evaluates the rules on it. The
// caller holds the scraping token.
func (m *Monitor) record(ctx context.Context, at time.Time, all []gathered) error {
	errs, ok := m.ingest(at, all)
	if !ok {
		return errors.Join(errs...)
	}
	at = instant(at.UnixNano())
	for _, r := range m.rules {
		if err := m.evaluate(ctx, r, at); err != nil {
			errs = append(errs, err)
		}
	}
	m.locked(func(s *state) {
		m.alerts = m.alerts[:0]
		for _, r := range m.rules {
			m.alerts = r.machine.AppendAlerts(m.alerts)
		}
		for i := range m.alerts {
			m.alerts[i].Labels = m.sent(m.alerts[i].Labels)
		}
		s.dispatcher.Update(at, m.alerts)
		m.flush(s, at)
	})
	return errors.Join(errs...)
}

// sent returns the labels with which an alert is sent: with the external ones that it
// does not have itself.
func (m *Monitor) sent(ls history.Labels) history.Labels {
	for name, value := range m.cfg.ExternalLabels {
		if ls.Get(name) == "" {
			ls = ls.With(name, value)
		}
	}
	return ls
}

// ingest writes the samples; it reports false when the scrape as a whole is
// refused.
func (m *Monitor) ingest(at time.Time, all []gathered) (errs []error, ok bool) {
	m.locked(func(s *state) {
		if err := s.history.Begin(at.UnixNano()); err != nil {
			// The clock went back, which only a mock or a real one does.
			s.status.OutOfOrder++
			errs = append(errs, s.status.note(fmt.Errorf("monitor: scrape at %v: %w", at.UTC().Format(time.RFC3339Nano), err)))
			return
		}
		ok = true
		for _, r := range m.rules {
			r.hold(s.history)
		}
		if gap := instant(at.UnixNano()).Sub(s.status.Last); s.status.Scrapes > 0 && gap > 0 && (s.gap == 0 || gap < s.gap) {
			s.gap = gap
		}
		s.status.Scrapes++
		for _, g := range all {
			if err := s.ingest(g, m.cfg.MaxSeries); err != nil {
				errs = append(errs, s.status.note(err))
			}
		}
		s.status.Last = instant(at.UnixNano())
		s.status.Series = s.history.Counted()
	})
	return errs, ok
}

// ingest writes the samples of one source, all of them or none.
func (s *state) ingest(g gathered, maxSeries int) error {
	// up comes first: it has a place also where the gatherer brings as many series as fit.
	limit := s.makeReport(g.source)
	err := g.err
	// A registry returns what it could gather beside its error: Prometheus takes
	// nothing from a scrape that failed, and neither does the monitor.
	if err == nil {
		g.samples, _, _ = size(g.families, g.source.native)
		err = g.ingest(s.history, maxSeries)
	}
	g.source.failed = err
	if up := g.source.report.up; up != nil && up.Removed() { // with all that was brought until it was too much
		limit = s.makeReport(g.source)
	}
	if g.source.report.up == nil {
		return errors.Join(err, limit)
	}
	s.report(g, g.err == nil && !errors.Is(err, ErrTooManySeries))
	return err
}

// makeReport makes the series that Prometheus adds to every target; a plain gatherer has
// up alone, with its name.
func (s *state) makeReport(from *source) error {
	labels := from.labels
	if from.target == nil {
		labels = history.Labels{{Name: "gatherer", Value: from.name}}
	}
	for name, series := range from.report.all() {
		if *series != nil && !(*series).Removed() || from.target == nil && name != "up" {
			continue
		}
		made, err := s.history.Series(labels.With(history.NameLabel, name))
		if err != nil {
			from.report = scrapeReport{}
			return fmt.Errorf("%w: %s has no %s: %w", ErrTooManySeries, from.name, name, err)
		}
		*series = made
	}
	return nil
}

// report writes the series about a scrape.
func (s *state) report(g gathered, ok bool) {
	r := g.source.report
	v := 0.0
	if ok {
		v = 1
	}
	s.history.Set(r.up, v)
	if g.source.target == nil {
		return
	}
	s.history.Set(r.duration, g.took.Seconds())
	s.history.Set(r.samples, float64(g.samples))
	s.history.Set(r.relabelled, float64(g.samples))
}

// evaluate takes one rule a step further. Reading the history needs no lock here,
// because the holder of the scraping token is the only one who writes it.
func (m *Monitor) evaluate(ctx context.Context, r *rule, at time.Time) (err error) {
	due := r.due(int64(at.Sub(m.start)/m.cfg.Interval), m.cfg.Interval)
	var o outcome
	if due {
		o = m.ask(ctx, &r.expression, at.Add(-r.QueryOffset))
		r.expand(&o, func() template.Data {
			return template.Data{ExternalLabels: m.cfg.ExternalLabels, ExternalURL: m.cfg.ExternalURL, At: at, Query: m.templateQuery(ctx, at)}
		})
	}
	m.locked(func(s *state) {
		switch {
		case due && r.Record != "":
			r.note(r.record(s.history, &r.Rule, o))
		case due:
			for _, change := range r.apply(at, o) {
				if !s.timeline.add(r.Name, change) {
					r.unkept++
				}
			}
			if r.err == nil || r.OnError > PolicyKeep {
				r.writeAlerts(s.history, &r.machine)
			}
		case r.Record == "" || r.err != nil:
			return // what it wrote before is seen further on
		default:
			r.err = r.repeat(s.history)
		}
		if o.flaw != nil {
			_ = s.status.note(fmt.Errorf("monitor: %s%w", r.title(), o.flaw))
		}
		if r.err != nil {
			err = s.status.note(fmt.Errorf("monitor: rule %s: %w", r.Name+r.Record, r.err))
		}
	})
	return err
}

// Down returns the event that nothing answers where the target is: its series are stale
// at once, and up is 0. Two such events at once end with the later of their ends. Down
// panics where the monitor has no such target.
//
//	mon.Down("shop", "shop-1:8080").At(20 * time.Minute).For(90 * time.Second)
func (m *Monitor) Down(job, instance string) event.Event {
	var known []string
	for _, s := range m.sources {
		if s.target == nil {
			continue
		}
		if s.target.Job == job && s.target.Instance == instance {
			change := func(by int) func() { return func() { m.locked(func(*state) { s.down += by }) } }
			return event.New(s.name+": down", change(1), change(-1))
		}
		known = append(known, s.target.Job+" "+s.target.Instance)
	}
	panic(fmt.Sprintf("monitor: Down: no target is called %s %s; there are: %s", job, instance, strings.Join(known, ", ")))
}
