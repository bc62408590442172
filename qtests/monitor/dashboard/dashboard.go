package dashboard

import (
	"time"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tb"
)

// Health is how the system under test is.
type Health string

// A system is critical while an alert of severity critical or page fires;
// degraded while any other alert fires, a breaker is not closed, requests wait for
// an exhausted pool, or a gatherer fails; and healthy otherwise.
const (
	Healthy  Health = "healthy"
	Degraded Health = "degraded"
	Critical Health = "critical"
)

// Window is what rates and percentiles of a Dashboard cover, or four
// intervals where that is longer.
const Window = time.Minute

// A Dashboard is the state of the system under test at the newest scrape, read
// from what the packages load, pool and breaker export. A figure whose metric is not
// there is NaN, in JSON null and in the text "–".
type Dashboard struct {
	At      time.Time
	Uptime  time.Duration // since the monitor was made
	Health  Health
	Reasons []string // why it is not healthy

	Requests, Errors      float64 // so far
	Rate, ErrorRate       float64 // requests and errors per second
	P50, P90, P95, P99    float64 // seconds, interpolated in histogram buckets
	InFlight              float64
	Pools                 []Pool
	Breakers              []Breaker
	Alerts                []monitor.Alert // pending and firing
	Scrapes, ScrapeErrors int64
	Series                int
}

// Pool is one pool.
type Pool struct {
	Name                                    string
	InUse, Idle, Constructing, Max, Waiters float64
}

// Breaker is one breaker: its state, and the calls it let through and rejected
// so far.
type Breaker struct {
	Name, State     string
	Calls, Rejected float64
}

// Of returns the dashboard of a monitor as of the newest scrape.
func Of(m *monitor.Monitor) Dashboard {
	status := m.Status()
	d := Dashboard{
		At: status.Last, Uptime: tb.Round(status.At.Sub(m.Start())), Alerts: m.Alerts(),
		Scrapes: status.Scrapes, ScrapeErrors: status.Errors, Series: status.Series,
	}
	if status.Scrapes == 0 {
		d.At = m.Start().UTC()
	}
	r := reader{m}
	d.readLoad(r)
	d.Pools, d.Breakers = r.pools(), r.breakers()
	d.judge(r)
	return d
}

// readLoad reads what package load exports.
func (d *Dashboard) readLoad(r reader) {
	w := promDuration(max(Window, 4*r.Interval()))
	d.Requests = r.one(`sum(load_requests_total)`)
	d.Errors = r.one(`sum(load_requests_total{result="error"})`)
	d.Rate = r.one(`sum(rate(load_requests_total[%s]))`, w)
	d.ErrorRate = r.one(`sum(rate(load_requests_total{result="error"}[%s]))`, w)
	d.InFlight = r.one(`sum(load_in_flight)`)
	d.P50, d.P90 = r.quantile("0.5", w), r.quantile("0.9", w)
	d.P95, d.P99 = r.quantile("0.95", w), r.quantile("0.99", w)
}
