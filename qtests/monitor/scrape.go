package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor/internal/history"
)

// Scrape scrapes and evaluates the rules at this instant, between the regular
// scrapes, and returns the errors of the gatherers. Where the instant has
// been scraped already, the new values take the place of the old.
func (m *Monitor) Scrape() error {
	return m.scrape(m.ctx, m.clk.Now())
}

// scrape is one scrape, with the given instant as that of its samples.
func (m *Monitor) scrape(ctx context.Context, at time.Time) error {
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
	return m.record(at, all)
}

// gather calls the gatherer on a goroutine of its own, because it may block,
// panic or exit.
func (m *Monitor) gather(ctx context.Context, s *source) gathered {
	select {
	case s.busy <- struct{}{}:
	default:
		return gathered{source: s, err: fmt.Errorf("%w: %s has not returned since an earlier scrape", ErrBlocked, s.name)}
	}
	done := make(chan gathered, 1)
	go func() {
		g := gathered{source: s, err: fmt.Errorf("monitor: %s: Gather called runtime.Goexit", s.name)}
		defer func() {
			if p := recover(); p != nil {
				g = gathered{source: s, err: fmt.Errorf("monitor: %s: Gather panicked: %v", s.name, p)}
			}
			<-s.busy
			done <- g
		}()
		families, err := s.gatherer.Gather()
		if err != nil {
			err = fmt.Errorf("monitor: %s: %w", s.name, err)
		}
		g = gathered{source: s, families: families, err: err}
	}()
	timer := m.clk.Timer(m.cfg.Timeout)
	defer timer.Stop()
	select {
	case g := <-done:
		return g
	case <-timer.C:
		return gathered{source: s, err: fmt.Errorf("%w: %s has not returned within %v", ErrBlocked, s.name, m.cfg.Timeout)}
	case <-ctx.Done():
		return gathered{source: s, err: ErrClosed}
	}
}

// record writes a scrape into the history and evaluates the rules on it.
func (m *Monitor) record(at time.Time, all []gathered) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, status := m.mu.history, &m.mu.status
	ns := at.UnixNano()
	if err := st.Begin(ns); err != nil {
		// The clock went back, which only a mock or a real one does.
		status.OutOfOrder++
		return status.note(fmt.Errorf("monitor: scrape at %v: %w", at.UTC().Format(time.RFC3339Nano), err))
	}
	status.Scrapes++
	var errs []error
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
	status.Last = instant(ns)
	status.Series = st.Len()
	for _, r := range m.rules {
		for _, change := range r.evaluate(st, status.Last) {
			m.mu.timeline.add(r, change)
		}
		if r.err != nil {
			errs = append(errs, status.note(fmt.Errorf("monitor: rule %s: %w", r.Name, r.err)))
		}
	}
	return errors.Join(errs...)
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
