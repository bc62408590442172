package dashboard

import (
	"encoding/json"
	"math"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// MarshalJSON writes durations in seconds and what is not a finite number as null.
func (d Dashboard) MarshalJSON() ([]byte, error) {
	pools, breakers, alerts := []poolJSON{}, []breakerJSON{}, []alertJSON{}
	for _, p := range d.Pools {
		pools = append(pools, poolJSON{p.Name, finite(p.InUse), finite(p.Idle), finite(p.Constructing), finite(p.Max), finite(p.Waiters)})
	}
	for _, b := range d.Breakers {
		breakers = append(breakers, breakerJSON{b.Name, b.State, finite(b.Calls), finite(b.Rejected)})
	}
	for _, a := range d.Alerts {
		alerts = append(alerts, alertJSON{a.Name, a.State, a.Labels, a.Annotations, finite(a.Value), a.ActiveAt})
	}
	return json.Marshal(dashboardJSON{
		d.At, d.Uptime.Seconds(), d.Health, append([]string{}, d.Reasons...), finite(d.Requests), finite(d.Errors), finite(d.Rate),
		finite(d.ErrorRate), finite(d.P50), finite(d.P90), finite(d.P95), finite(d.P99), finite(d.InFlight), pools, breakers, alerts,
		d.Scrapes, d.ScrapeErrors, d.Series,
	})
}

type dashboardJSON struct {
	At        time.Time     `json:"at"`
	Uptime    float64       `json:"uptime_seconds"`
	Health    Health        `json:"health"`
	Reasons   []string      `json:"reasons"`
	Requests  finite        `json:"requests"`
	Errors    finite        `json:"errors"`
	Rate      finite        `json:"rate"`
	ErrorRate finite        `json:"error_rate"`
	P50       finite        `json:"p50_seconds"`
	P90       finite        `json:"p90_seconds"`
	P95       finite        `json:"p95_seconds"`
	P99       finite        `json:"p99_seconds"`
	InFlight  finite        `json:"in_flight"`
	Pools     []poolJSON    `json:"pools"`
	Breakers  []breakerJSON `json:"breakers"`
	Alerts    []alertJSON   `json:"alerts"`
	Scrapes   int64         `json:"scrapes"`
	Failed    int64         `json:"scrape_errors"`
	Series    int           `json:"series"`
}

type poolJSON struct {
	Name         string `json:"name"`
	InUse        finite `json:"in_use"`
	Idle         finite `json:"idle"`
	Constructing finite `json:"constructing"`
	Max          finite `json:"max"`
	Waiters      finite `json:"waiters"`
}

type breakerJSON struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Calls    finite `json:"calls"`
	Rejected finite `json:"rejected"`
}

type alertJSON struct {
	Name        string         `json:"name"`
	State       monitor.State  `json:"state"`
	Labels      monitor.Labels `json:"labels"`
	Annotations monitor.Labels `json:"annotations"`
	Value       finite         `json:"value"`
	ActiveAt    time.Time      `json:"active_at"`
}

// A finite is a float64 that is null in JSON where it is not.
type finite float64

func (f finite) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}
