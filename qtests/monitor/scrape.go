package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/go-qtests/qtests/qtests/monitor/internal/alert"
	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
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

// scrape is one scrape, with the given instant as that of its samples.
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
	var families []*dto.MetricFamily
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
		return gathered{source: s, err: err}
	}
	return gathered{source: s, families: families}
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
	m.mu.Lock()
	defer m.mu.Unlock()
	var alerts []alert.Alert
	for _, r := range m.rules {
		alerts = append(alerts, r.machine.Alerts()...)
	}
	m.mu.dispatcher.Update(at, alerts)
	m.flushLocked(at)
	return errors.Join(errs...)
}

// ingest writes the samples; it reports false when the scrape as a whole is
// refused.
func (m *Monitor) ingest(at time.Time, all []gathered) (errs []error, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, status := m.mu.history, &m.mu.status
	if err := st.Begin(at.UnixNano()); err != nil {
		// The clock went back, which only a mock or a real one does.
		status.OutOfOrder++
		return []error{status.note(fmt.Errorf("monitor: scrape at %v: %w", at.UTC().Format(time.RFC3339Nano), err))}, false
	}
	status.Scrapes++
	for _, g := range all {
		err := g.err
		// A registry returns what it could gather beside its error: Prometheus
		// takes nothing from a scrape that failed, and neither does the monitor.
		if err == nil {
			err = g.ingest(st, m.cfg.MaxSeries)
		}
		failed := g.err != nil || errors.Is(err, ErrTooManySeries)
		m.setUp(g.source, !failed)
		if err != nil {
			errs = append(errs, status.note(err))
		}
	}
	status.Last = instant(at.UnixNano())
	status.Series = st.Len()
	return errs, true
}

// evaluate takes one rule a step further. Reading the history needs no lock here,
// because the holder of the scraping token is the only one who writes it.
func (m *Monitor) evaluate(ctx context.Context, r *rule, at time.Time) error {
	elapsed := int64(at.Sub(m.start) / m.cfg.Interval)
	due := elapsed%r.every == 0
	var o outcome
	if due {
		o = m.ask(ctx, r, at)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case due && r.Record != "":
		r.note(r.record(m.mu.history, o))
	case due:
		for _, change := range r.apply(at, o) {
			m.mu.timeline.add(r, change)
		}
	case r.Record != "":
		r.note(r.repeat(m.mu.history))
	default:
		return nil
	}
	if r.err != nil {
		return m.mu.status.note(fmt.Errorf("monitor: rule %s: %w", r.title(), r.err))
	}
	return nil
}

// setUp writes the series up{gatherer="…"}, which Prometheus adds to every target.
func (m *Monitor) setUp(s *source, ok bool) {
	if s.up == nil || s.up.Removed() {
		series, err := m.mu.history.Series(history.NewLabels(
			history.Label{Name: history.NameLabel, Value: "up"}, history.Label{Name: "gatherer", Value: s.name}))
		if err != nil {
			return // the limit is reached, which the scrape itself reports
		}
		s.up = series
	}
	v := 0.0
	if ok {
		v = 1
	}
	m.mu.history.Set(s.up, v)
}

// A Status is what a monitor did so far.
type Status struct {
	// Scrapes counts them, failed ones too. Missed counts the regular ones left
	// out because an earlier one, or a clock that jumped, took too long, and
	// OutOfOrder those refused because the clock went back.
	Scrapes, Missed, OutOfOrder int64
	// Errors counts the errors of gatherers and rules. LastError is the newest.
	Errors    int64
	LastError error
	// LimitError is the first error that is ErrTooManySeries.
	LimitError error
	// Notified counts the notifications that a channel took, NotifyErrors those that
	// it did not, after all attempts. They are also among Errors.
	Notified, NotifyErrors int64
	// Last is the instant of the newest scrape, Series how many are kept.
	Last   time.Time
	Series int
}

func (s *Status) note(err error) error {
	s.Errors++
	s.LastError = err
	if s.LimitError == nil && errors.Is(err, ErrTooManySeries) {
		s.LimitError = err
	}
	return err
}

// Status returns what the monitor did so far.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.status
}
