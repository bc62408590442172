package monitor

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-qtests/qtests/qtests"
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

// DashboardWindow is what rates and percentiles of a Dashboard cover, or four
// intervals where that is longer.
const DashboardWindow = time.Minute

// A Dashboard is the state of the system under test at the newest scrape, read
// from what package load, pool and breaker export. A figure whose metric is not
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
	Pools                 []PoolUse
	Breakers              []BreakerUse
	Alerts                []Alert // pending and firing
	Scrapes, ScrapeErrors int64
	Series                int
}

// PoolUse is one pool.
type PoolUse struct {
	Name                                    string
	InUse, Idle, Constructing, Max, Waiters float64
}

// BreakerUse is one breaker: its state, and the calls it let through and rejected
// so far.
type BreakerUse struct {
	Name, State     string
	Calls, Rejected float64
}

// Dashboard returns the state as of the newest scrape.
func (m *Monitor) Dashboard() Dashboard {
	status := m.Status()
	d := Dashboard{
		At: status.Last, Uptime: qtests.Round(m.clk.Now().Sub(m.start)), Alerts: m.Alerts(),
		Scrapes: status.Scrapes, ScrapeErrors: status.Errors, Series: status.Series,
	}
	if status.Scrapes == 0 {
		d.At = m.start.UTC()
	}
	window := max(DashboardWindow, 4*m.cfg.Interval)
	one := func(format string, args ...any) float64 {
		points, err := m.Query(fmt.Sprintf(format, args...), time.Time{})
		if err != nil || len(points) != 1 {
			return math.NaN()
		}
		return points[0].Value
	}
	w := promDuration(window)
	d.Requests = one(`sum(load_requests_total)`)
	d.Errors = one(`sum(load_requests_total{result="error"})`)
	d.Rate = one(`sum(rate(load_requests_total[%s]))`, w)
	d.ErrorRate = one(`sum(rate(load_requests_total{result="error"}[%s]))`, w)
	d.InFlight = one(`sum(load_in_flight)`)
	for _, p := range []struct {
		q  string
		to *float64
	}{{"0.5", &d.P50}, {"0.9", &d.P90}, {"0.95", &d.P95}, {"0.99", &d.P99}} {
		*p.to = one(`histogram_quantile(%s, sum by (le) (rate(load_response_seconds_bucket[%s])))`, p.q, w)
	}
	d.Pools, d.Breakers = m.pools(), m.breakers()
	d.judge(m)
	return d
}

// promDuration writes a duration in milliseconds, which every duration is here.
func promDuration(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

// each calls f for every element of a query on the newest scrape.
func (m *Monitor) each(expr string, f func(Labels, float64)) {
	points, err := m.Query(expr, time.Time{})
	if err != nil {
		return
	}
	for _, p := range points {
		f(p.Labels, p.Value)
	}
}

func (m *Monitor) pools() []PoolUse {
	var out []PoolUse
	find := func(name string) *PoolUse {
		i, ok := slices.BinarySearchFunc(out, name, func(p PoolUse, name string) int { return strings.Compare(p.Name, name) })
		if !ok {
			out = slices.Insert(out, i, PoolUse{Name: name})
		}
		return &out[i]
	}
	m.each("pool_resources", func(l Labels, v float64) {
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
	m.each("pool_max_resources", func(l Labels, v float64) { find(l["pool"]).Max = v })
	m.each("pool_waiters", func(l Labels, v float64) { find(l["pool"]).Waiters = v })
	return out
}

func (m *Monitor) breakers() []BreakerUse {
	var out []BreakerUse
	m.each("breaker_state == 1", func(l Labels, _ float64) {
		out = append(out, BreakerUse{Name: l["breaker"], State: l["state"]})
	})
	slices.SortFunc(out, func(a, b BreakerUse) int { return strings.Compare(a.Name, b.Name) })
	m.each("breaker_calls_total", func(l Labels, v float64) {
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
func (d *Dashboard) judge(m *Monitor) {
	d.Health = Healthy
	worse := func(h Health, format string, args ...any) {
		if d.Health != Critical {
			d.Health = h
		}
		d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...))
	}
	for _, a := range d.Alerts {
		if a.State != Firing {
			continue
		}
		health := Degraded
		if s := a.Labels["severity"]; s == "critical" || s == "page" {
			health = Critical
		}
		worse(health, "alert %s fires since %v", a.Name, m.offset(a.FiredAt))
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
	m.each("up == 0", func(l Labels, _ float64) { worse(Degraded, "%s cannot be scraped", l["gatherer"]) })
}

// MarshalJSON writes durations in seconds and what is not a finite number as null.
func (d Dashboard) MarshalJSON() ([]byte, error) {
	type pool struct {
		Name         string `json:"name"`
		InUse        finite `json:"in_use"`
		Idle         finite `json:"idle"`
		Constructing finite `json:"constructing"`
		Max          finite `json:"max"`
		Waiters      finite `json:"waiters"`
	}
	type breaker struct {
		Name     string `json:"name"`
		State    string `json:"state"`
		Calls    finite `json:"calls"`
		Rejected finite `json:"rejected"`
	}
	type active struct {
		Name        string    `json:"name"`
		State       State     `json:"state"`
		Labels      Labels    `json:"labels"`
		Annotations Labels    `json:"annotations"`
		Value       finite    `json:"value"`
		ActiveAt    time.Time `json:"active_at"`
	}
	pools, breakers, alerts := []pool{}, []breaker{}, []active{}
	for _, p := range d.Pools {
		pools = append(pools, pool{p.Name, finite(p.InUse), finite(p.Idle), finite(p.Constructing), finite(p.Max), finite(p.Waiters)})
	}
	for _, b := range d.Breakers {
		breakers = append(breakers, breaker{b.Name, b.State, finite(b.Calls), finite(b.Rejected)})
	}
	for _, a := range d.Alerts {
		alerts = append(alerts, active{a.Name, a.State, a.Labels, a.Annotations, finite(a.Value), a.ActiveAt})
	}
	return json.Marshal(struct {
		At        time.Time `json:"at"`
		Uptime    float64   `json:"uptime_seconds"`
		Health    Health    `json:"health"`
		Reasons   []string  `json:"reasons"`
		Requests  finite    `json:"requests"`
		Errors    finite    `json:"errors"`
		Rate      finite    `json:"rate"`
		ErrorRate finite    `json:"error_rate"`
		P50       finite    `json:"p50_seconds"`
		P90       finite    `json:"p90_seconds"`
		P95       finite    `json:"p95_seconds"`
		P99       finite    `json:"p99_seconds"`
		InFlight  finite    `json:"in_flight"`
		Pools     []pool    `json:"pools"`
		Breakers  []breaker `json:"breakers"`
		Alerts    []active  `json:"alerts"`
		Scrapes   int64     `json:"scrapes"`
		Failed    int64     `json:"scrape_errors"`
		Series    int       `json:"series"`
	}{
		d.At, d.Uptime.Seconds(), d.Health, append([]string{}, d.Reasons...), finite(d.Requests), finite(d.Errors), finite(d.Rate),
		finite(d.ErrorRate), finite(d.P50), finite(d.P90), finite(d.P95), finite(d.P99), finite(d.InFlight), pools, breakers, alerts,
		d.Scrapes, d.ScrapeErrors, d.Series,
	})
}

// A finite is a float64 that is null in JSON where it is not.
type finite float64

func (f finite) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// String returns the dashboard as text.
func (d Dashboard) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s after %v", strings.ToUpper(string(d.Health)), d.Uptime)
	for i, r := range d.Reasons {
		fmt.Fprintf(&b, "%s%s", [...]string{": ", "; "}[min(i, 1)], r)
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "requests\t%s\terrors\t%s\tin flight\t%s\n", figure(d.Requests), figure(d.Errors), figure(d.InFlight))
	fmt.Fprintf(w, "rate\t%s/s\terror rate\t%s/s\n", figure(d.Rate), figure(d.ErrorRate))
	fmt.Fprintf(w, "p50\t%s\tp90\t%s\tp95\t%s\tp99\t%s\n", span(d.P50), span(d.P90), span(d.P95), span(d.P99))
	for _, p := range d.Pools {
		fmt.Fprintf(w, "pool %s\t%v of %v in use\t%v idle\t%v waiting\n", p.Name, p.InUse, p.Max, p.Idle, p.Waiters)
	}
	for _, x := range d.Breakers {
		fmt.Fprintf(w, "breaker %s\t%s\t%v calls\t%v rejected\n", x.Name, x.State, x.Calls, x.Rejected)
	}
	for _, a := range d.Alerts {
		fmt.Fprintf(w, "alert %s\t%s\t%s\n", a.Name, a.State, a.Annotations["summary"])
	}
	fmt.Fprintf(w, "scrapes\t%d\terrors\t%d\tseries\t%d\n", d.Scrapes, d.ScrapeErrors, d.Series)
	_ = w.Flush() // a Builder takes everything
	return b.String()
}

// figure writes a number with up to four digits behind the point.
func figure(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return formatValue(math.Round(v*1e4) / 1e4)
}

// span writes seconds as a duration, to four digits.
func span(seconds float64) string {
	if math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return "–"
	}
	d := time.Duration(seconds * 1e9)
	unit := time.Duration(1)
	for unit*10_000 < d.Abs() {
		unit *= 10
	}
	return d.Round(unit).String()
}
