package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/tb"
)

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
func (r reader) offset(at time.Time) time.Duration { return tb.Round(at.Sub(r.Start())) }

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

// quantile returns a quantile of the response times over a window, in seconds.
func (r reader) quantile(q, window string) float64 {
	return r.one(`histogram_quantile(%s, sum by (le) (rate(load_response_seconds_bucket[%s])))`, q, window)
}

func (r reader) pools() []Pool {
	var out pools
	r.each("pool_resources", func(l monitor.Labels, v float64) { out.find(l["pool"]).set(l["state"], v) })
	r.each("pool_max_resources", func(l monitor.Labels, v float64) { out.find(l["pool"]).Max = v })
	r.each("pool_waiters", func(l monitor.Labels, v float64) { out.find(l["pool"]).Waiters = v })
	return out
}

// pools are sorted by name.
type pools []Pool

// find returns the pool with the name, which it adds if it is not there.
func (ps *pools) find(name string) *Pool {
	i, ok := slices.BinarySearchFunc(*ps, name, func(p Pool, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		*ps = slices.Insert(*ps, i, Pool{Name: name})
	}
	return &(*ps)[i]
}

// set sets the number of the resources in a state.
func (p *Pool) set(state string, v float64) {
	switch state {
	case "in_use":
		p.InUse = v
	case "idle":
		p.Idle = v
	case "constructing":
		p.Constructing = v
	}
}

func (r reader) breakers() []Breaker {
	var out []Breaker
	r.each("breaker_state == 1", func(l monitor.Labels, _ float64) {
		out = append(out, Breaker{Name: l["breaker"], State: l["state"]})
	})
	slices.SortFunc(out, func(a, b Breaker) int { return strings.Compare(a.Name, b.Name) })
	r.each("breaker_calls_total", func(l monitor.Labels, v float64) {
		for i := range out {
			if out[i].Name == l["breaker"] {
				out[i].count(l["result"], v)
			}
		}
	})
	return out
}

// count adds calls with a result.
func (b *Breaker) count(result string, v float64) {
	if result == "rejected" {
		b.Rejected += v
	} else {
		b.Calls += v
	}
}
