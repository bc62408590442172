package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
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
		At: status.Last, Uptime: qtests.Round(status.At.Sub(m.Start())), Alerts: m.Alerts(),
		Scrapes: status.Scrapes, ScrapeErrors: status.Errors, Series: status.Series,
	}
	if status.Scrapes == 0 {
		d.At = m.Start().UTC()
	}
	r := reader{m}
	w := promDuration(max(Window, 4*m.Interval()))
	d.Requests = r.one(`sum(load_requests_total)`)
	d.Errors = r.one(`sum(load_requests_total{result="error"})`)
	d.Rate = r.one(`sum(rate(load_requests_total[%s]))`, w)
	d.ErrorRate = r.one(`sum(rate(load_requests_total{result="error"}[%s]))`, w)
	d.InFlight = r.one(`sum(load_in_flight)`)
	for _, p := range []struct {
		q  string
		to *float64
	}{{"0.5", &d.P50}, {"0.9", &d.P90}, {"0.95", &d.P95}, {"0.99", &d.P99}} {
		*p.to = r.one(`histogram_quantile(%s, sum by (le) (rate(load_response_seconds_bucket[%s])))`, p.q, w)
	}
	d.Pools, d.Breakers = r.pools(), r.breakers()
	d.judge(r)
	return d
}

// A reader reads the newest scrape of a monitor.
type reader struct{ *monitor.Monitor }

// one returns the value of a query with one result, else NaN.
func (r reader) one(format string, args ...any) float64 {
	points, err := r.Query(fmt.Sprintf(format, args...), time.Time{})
	if err != nil || len(points) != 1 {
		return math.NaN()
	}
	return points[0].Value
}

// offset counts an instant from the start of the monitor.
func (r reader) offset(at time.Time) time.Duration { return qtests.Round(at.Sub(r.Start())) }

// promDuration writes a duration in milliseconds, which every duration is here.
func promDuration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// each calls f for every element of a query on the newest scrape.
func (r reader) each(expr string, f func(monitor.Labels, float64)) {
	points, err := r.Query(expr, time.Time{})
	if err != nil {
		return
	}
	for _, p := range points {
		f(p.Labels, p.Value)
	}
}

func (r reader) pools() []Pool {
	var out []Pool
	find := func(name string) *Pool {
		i, ok := slices.BinarySearchFunc(out, name, func(p Pool, name string) int { return strings.Compare(p.Name, name) })
		if !ok {
			out = slices.Insert(out, i, Pool{Name: name})
		}
		return &out[i]
	}
	r.each("pool_resources", func(l monitor.Labels, v float64) {
		p := find(l["pool"])
		switch l["state"] {
		case "in_use":
			p.InUse = v
		case "idle":
			p.Idle = v
		case "constructing":
			p.Constructing = v
		}
	})
	r.each("pool_max_resources", func(l monitor.Labels, v float64) { find(l["pool"]).Max = v })
	r.each("pool_waiters", func(l monitor.Labels, v float64) { find(l["pool"]).Waiters = v })
	return out
}

func (r reader) breakers() []Breaker {
	var out []Breaker
	r.each("breaker_state == 1", func(l monitor.Labels, _ float64) {
		out = append(out, Breaker{Name: l["breaker"], State: l["state"]})
	})
	slices.SortFunc(out, func(a, b Breaker) int { return strings.Compare(a.Name, b.Name) })
	r.each("breaker_calls_total", func(l monitor.Labels, v float64) {
		for i := range out {
			if out[i].Name != l["breaker"] {
				continue
			}
			if l["result"] == "rejected" {
				out[i].Rejected += v
			} else {
				out[i].Calls += v
			}
		}
	})
	return out
}

// judge sets Health and Reasons.
func (d *Dashboard) judge(r reader) {
	d.Health = Healthy
	worse := func(h Health, format string, args ...any) {
		if d.Health != Critical {
			d.Health = h
		}
		d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...))
	}
	for _, a := range d.Alerts {
		if a.State != monitor.Firing {
			continue
		}
		health := Degraded
		if s := a.Labels["severity"]; s == "critical" || s == "page" {
			health = Critical
		}
		worse(health, "alert %s fires since %v", a.Name, r.offset(a.FiredAt))
	}
	for _, b := range d.Breakers {
		if b.State != "closed" {
			worse(Degraded, "breaker %s is %s", b.Name, b.State)
		}
	}
	for _, p := range d.Pools {
		if p.Waiters > 0 && p.InUse >= p.Max {
			worse(Degraded, "pool %s is exhausted: %v wait", p.Name, p.Waiters)
		}
	}
	r.each("up == 0", func(l monitor.Labels, _ float64) { worse(Degraded, "%s cannot be scraped", l["gatherer"]) })
}
