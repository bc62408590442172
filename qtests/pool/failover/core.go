package failover

import "time"

// An instant is a time as the distance from just before the construction of the
// failover, so that it is positive: 0 is no instant.
type instant = time.Duration

// core decides which backend gets the traffic: a plain structure without lock, clock or goroutine. Backend 0 is the preferred one.
type core struct {
	unhealthyAfter int
	healthyFor     instant
	backends       []backendHealth
	active         int
}

// backendHealth is what is known of one backend. All start out healthy.
type backendHealth struct {
	healthy bool
	failed  int     // health checks in a row
	since   instant // of the present health; 0 if it has never changed
	reason  string  // why it is unhealthy
}

// A move is a change of the active backend.
type move struct {
	from, to int
	reason   string
}

// checked takes the result of a health check: err is "" for a good one.
func (c *core) checked(i int, err string, now instant) {
	b := &c.backends[i]
	if err == "" {
		b.failed = 0
		if !b.healthy {
			b.healthy, b.since, b.reason = true, now, ""
		}
		return
	}
	b.failed++
	if b.failed >= c.unhealthyAfter {
		c.down(i, "health check: "+err, now)
	}
}

// down makes a backend unhealthy until a health check says otherwise.
func (c *core) down(i int, reason string, now instant) {
	if b := &c.backends[i]; b.healthy {
		*b = backendHealth{failed: b.failed, since: now, reason: reason}
	}
}

// choose moves the traffic if it has to move, at most once.
func (c *core) choose(now instant, open func(i int) bool) (m move, moved bool) {
	from := c.active
	for i := range c.backends {
		b := &c.backends[i]
		switch {
		case !b.healthy || open(i):
			continue
		case !c.backends[from].healthy:
			m = move{from, i, c.backends[from].reason}
		case i < from && (b.since == 0 || now-b.since >= c.healthyFor):
			m = move{from, i, "healthy for " + c.healthyFor.String()}
		default:
			continue
		}
		c.active = i
		return m, i != from
	}
	return move{}, false
}

// alternatives are the other backends worth a try, in order of preference.
func (c *core) alternatives(to int) []int {
	var out []int
	for i, b := range c.backends {
		if i != to && b.healthy {
			out = append(out, i)
		}
	}
	return out
}

// returnAt is when the earliest preferred backend may get its traffic back, or 0.
func (c *core) returnAt() (at instant) {
	for _, b := range c.backends[:c.active] {
		if due := b.since + c.healthyFor; b.healthy && b.since > 0 && (at == 0 || due < at) {
			at = due
		}
	}
	return at
}
