package dashboard

import (
	"fmt"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// judge sets Health and Reasons.
func (d *Dashboard) judge(r reader) {
	d.Health = Healthy
	for _, a := range d.Alerts {
		d.judgeAlert(a, r)
	}
	for _, b := range d.Breakers {
		if b.State != "closed" {
			d.worse(Degraded, "breaker %s is %s", b.Name, b.State)
		}
	}
	for _, p := range d.Pools {
		if p.Waiters > 0 && p.InUse >= p.Max {
			d.worse(Degraded, "pool %s is exhausted: %v wait", p.Name, p.Waiters)
		}
	}
	r.each("up == 0", func(l monitor.Labels, _ float64) { d.worse(Degraded, "%s cannot be scraped", who(l)) })
}

func (d *Dashboard) judgeAlert(a monitor.Alert, r reader) {
	if a.State != monitor.Firing {
		return
	}
	health := Degraded
	if s := a.Labels["severity"]; s == "critical" || s == "page" {
		health = Critical
	}
	d.worse(health, "alert %s fires since %v", a.Name, r.offset(a.FiredAt))
}

// worse adds a reason for a health that is not better than what it was.
func (d *Dashboard) worse(h Health, format string, args ...any) {
	if d.Health != Critical {
		d.Health = h
	}
	d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...))
}

// who names what was scraped, by the labels of its up.
func who(l monitor.Labels) string {
	if l["gatherer"] != "" {
		return l["gatherer"]
	}
	return "target " + l["job"] + " " + l["instance"]
}
