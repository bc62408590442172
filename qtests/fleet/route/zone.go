package route

import (
	"math/rand/v2"
	"slices"
	"time"
)

// ZoneAware keeps requests in the zone of their caller, and lets policy choose within it, as Envoy's
// zone aware routing does where all zones send alike. With Z zones and a caller's zone that has
// the share s of the candidates:
//
//   - s >= 1/Z: all requests stay;
//   - s < 1/Z: the share s·Z of them stays. The rest goes to the zones z with more than their
//     part, each with a chance in proportion to s_z - 1/Z.
//
// So every candidate gets the same load, and a zone that loses targets sends just as much
// elsewhere as it cannot serve. A request without zone, or from a zone without candidates, goes to any.
func ZoneAware(policy Policy) Policy {
	return func(r *rand.Rand) Picker {
		return &zoned{r: r, policy: policy, within: map[string]Picker{}, any: policy(r)}
	}
}

type zoned struct {
	r      *rand.Rand
	policy Policy
	within map[string]Picker // by zone: one that goes in turns must not mix zones
	any    Picker
	local  []*Target
	index  []int
}

// Pick implements Picker.
func (z *zoned) Pick(now time.Time, rq Request, candidates, all []*Target) int {
	zone := z.choose(rq.Zone, candidates, all)
	if zone == "" {
		return z.any.Pick(now, rq, candidates, all)
	}
	within := z.within[zone]
	if within == nil {
		within = z.policy(z.r)
		z.within[zone] = within
	}
	z.local, z.index = z.local[:0], z.index[:0]
	for i, t := range candidates {
		if t.Zone == zone {
			z.local, z.index = append(z.local, t), append(z.index, i)
		}
	}
	return z.index[within.Pick(now, rq, z.local, all)]
}

// observe implements observer.
func (z *zoned) observe(now time.Time, t *Target, latency time.Duration) {
	if o, ok := z.any.(observer); ok {
		o.observe(now, t, latency)
	}
}

// choose returns the zone that the request goes to, or "" for any.
func (z *zoned) choose(zone string, candidates, all []*Target) string {
	zones := zonesOf(all)
	part := 1 / float64(len(zones))
	here := shareOf(zone, candidates)
	switch {
	case zone == "" || here == 0:
		return ""
	case here >= part || z.r.Float64() < here/part:
		return zone
	}
	residual := 0.0
	for _, name := range zones {
		residual += max(0, shareOf(name, candidates)-part)
	}
	draw := z.r.Float64() * residual
	last := ""
	for _, name := range zones {
		if more := shareOf(name, candidates) - part; more > 0 {
			last = name
			if draw -= more; draw < 0 {
				break
			}
		}
	}
	return last
}

func zonesOf(all []*Target) (zones []string) {
	for _, t := range all {
		if !slices.Contains(zones, t.Zone) {
			zones = append(zones, t.Zone)
		}
	}
	return zones
}

func shareOf(zone string, candidates []*Target) float64 {
	n := 0
	for _, t := range candidates {
		if t.Zone == zone {
			n++
		}
	}
	return float64(n) / float64(len(candidates))
}
