package fleet

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/fleet/internal/timeline"
	"github.com/go-qtests/qtests/qtests/fleet/route"
	"github.com/go-qtests/qtests/qtests/internal/text"
)

// MaxPast is how many instances that are gone have counts of their own in [Stats]; those before are added up.
const MaxPast = 1000

// Stats are what became of all requests, at one instant.
type Stats struct {
	// Requests are those of the clients.
	Requests Counts
	// Why is how many requests were refused and failed, by reason: "no instance", "not listening", "out of reach", "queue full", "overloaded",
	// "server error", "broken off", "timeout", "given up". Of the instances "hedged" as well.
	Why map[string]uint64
	// Attempts are what was sent for them.
	Attempts Attempts
	// Instances are those that exist, and before them those that are gone, in the order in which they were made.
	Instances []InstanceStats
	// Older are the counts of instances that are not among them.
	Older Counts
	// Conns are the connections of Dialer.
	Conns Counts
	// Ejections are those of outliers, and Panics the requests routed without regard to health.
	Ejections []route.Ejection
	Panics    uint64
}

// InstanceStats are what became of the attempts at one instance.
type InstanceStats struct {
	Name, Zone, Version string
	Phase               Phase
	Ready               bool
	Starts              int
	Attempts            Counts
	Why                 map[string]uint64
	CPU                 time.Duration // of the present process
}

// countsOf are where an attempt at an instance is counted.
func (s *state) countsOf(i *Instance) *Counts {
	if i.evicted {
		return &s.older
	}
	return &i.counts
}

// served counts the end of an attempt.
func (s *state) served(i *Instance, o outcome, why reason, latency time.Duration) {
	s.countsOf(i).end(o)
	if why != "" {
		i.why[why]++
	}
	if d := s.deploys.current(); d != nil && why != givenUp && why != hedged {
		if i.release == s.next {
			d.new.served(o, latency)
		} else {
			d.old.served(o, latency)
		}
	}
}

// remember keeps the counts of an instance that is gone.
func (s *state) remember(i *Instance) {
	s.past = append(s.past, i)
	if len(s.past) > MaxPast {
		oldest := s.past[0]
		s.past = s.past[1:]
		s.older.add(oldest.counts)
		oldest.evicted = true
	}
}

// Stats returns what became of all requests so far.
func (f *Fleet) Stats() (x Stats) {
	now := f.clk.Now()
	f.read(func(s *state) {
		x = Stats{Requests: s.counts, Why: named(s.why), Attempts: s.attempts, Older: s.older, Conns: s.conns, Panics: s.balancer.Panics()}
		x.Ejections, _ = s.balancer.Ejections()
		for _, list := range [][]*Instance{s.past, s.all} {
			for _, i := range list {
				x.Instances = append(x.Instances, InstanceStats{
					Name: i.name, Zone: i.zone, Version: i.release.Version, Phase: i.phase, Ready: i.ready, Starts: i.starts,
					Attempts: i.counts, Why: named(i.why), CPU: i.process.cpu.Used(now),
				})
			}
		}
	})
	return x
}

func named(why map[reason]uint64) map[string]uint64 {
	all := map[string]uint64{}
	for r, n := range maps.All(why) {
		all[string(r)] = n
	}
	return all
}

// unbalanced says which counts do not add up, or "".
func (f *Fleet) unbalanced() string {
	x := f.Stats()
	offered := x.Older.Offered + x.Attempts.NoInstance
	for _, i := range x.Instances {
		if !i.Attempts.Balanced() {
			return fmt.Sprintf("%s: %v", i.Name, i.Attempts)
		}
		offered += i.Attempts.Offered
	}
	made := x.Attempts.First + x.Attempts.Retries + x.Attempts.Hedges
	switch {
	case !x.Requests.Balanced():
		return "requests: " + x.Requests.String()
	case !x.Older.Balanced():
		return "older instances: " + x.Older.String()
	case !x.Conns.Balanced():
		return "connections: " + x.Conns.String()
	case x.Attempts.First != x.Requests.Offered:
		return fmt.Sprintf("%d requests and %d first attempts", x.Requests.Offered, x.Attempts.First)
	case offered != made:
		return fmt.Sprintf("%d attempts were made, and %d offered to the instances or to none", made, offered)
	}
	return ""
}

// maxRows bounds the table of instances.
const maxRows = 50

// String is a table: the requests, why they were lost, and the instances, the last 50 of them.
func (x Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "requests: %v\n", x.Requests)
	if len(x.Why) > 0 {
		b.WriteString("lost: ")
		for n, name := range text.SortedKeys(x.Why) {
			if n > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s %s", text.Grouped(int64(x.Why[name])), name)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "attempts: %d first, %d retries, %d hedges; %d over budget\n", x.Attempts.First, x.Attempts.Retries, x.Attempts.Hedges, x.Attempts.OverBudget)
	rows := [][]string{{"instance", "zone", "version", "phase", "starts", "offered", "answered", "refused", "failed"}}
	some := x.Instances[max(0, len(x.Instances)-maxRows):]
	for _, i := range some {
		n := func(v uint64) string { return text.Grouped(int64(v)) }
		rows = append(rows, []string{i.Name, i.Zone, i.Version, i.Phase.String(), fmt.Sprint(i.Starts), n(i.Attempts.Offered), n(i.Attempts.Answered), n(i.Attempts.Refused), n(i.Attempts.Failed)})
	}
	text.Table(&b, rows)
	return b.String()
}

// Picture draws what happened so far, an interval a letter: how many instances there were, how many requests were answered, and how many lost. Each
// line says what its highest letter stands for.
func (f *Fleet) Picture() string { return f.timelineNow().String() }

// timelineNow returns a copy of the timeline up to now.
func (f *Fleet) timelineNow() (t timeline.Timeline) {
	f.read(func(s *state) { t = s.timeline.Until(f.clk.Now()) })
	return t
}
