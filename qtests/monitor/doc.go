// Package monitor is a Prometheus inside a test: it scrapes metrics at every
// interval of the test's clock, remembers them, and raises alerts that a test can
// rely on.
//
//	mon := monitor.NewT(t, monitor.Config{
//		Gatherers:  []prometheus.Gatherer{registry},     // of the system under test
//		Collectors: []prometheus.Collector{breaker, pool},
//		Rules: []monitor.Rule{{
//			Name: "PaymentsOpen",
//			Expr: `breaker_state{breaker="payments",state="open"} == 1`,
//			For:  time.Minute,
//		}},
//	})
//	… traffic, an outage, the recovery …
//	mon.RequireFired(t, "PaymentsOpen")
//	mon.RequireResolvedWithin(t, "PaymentsOpen", 10*time.Minute)
//
// # Scraping
//
// A monitor made at the instant start scrapes at start + k*Interval, k = 1, 2, …,
// and stamps the samples with exactly that instant, however long gathering
// takes. Instants that have passed before their turn comes (a clock that jumped,
// a gatherer that took longer than an interval) are left out and counted in
// Status.Missed; a clock that goes back has its scrapes refused until it has
// caught up. Scrape adds one at this instant. Close does not scrape.
//
// Every gatherer is what a target is to Prometheus. One that returns an error,
// panics, exits or does not return within Config.Timeout brings nothing to this
// scrape: its series are stale at once, and up{gatherer="…"} is 0 instead of 1.
// Names are "gatherer 0", "gatherer 1", … and "collectors". A gatherer that has
// not returned is not called again until it has. Timestamps that metrics bring
// along are ignored. Of a histogram the classic buckets are read, not the native
// ones; le and quantile are written as Prometheus 3 stores them, "1.0" and not
// "1". NaN and infinities are values like others. Two metrics that are one
// series keep the first value and are an error. Two monitors on one registry do
// not disturb each other.
//
// # History
//
// Samples are kept for Config.Retention at least, and Config.MaxSamples per series at
// least, both rounded up to whole blocks of 128 scrapes. A sample takes eight
// bytes, its share of the instant another eight divided by the number of series; a
// block in which a value never changes takes eight bytes in all. A series whose
// last sample is no longer kept is forgotten.
//
// # Expressions
//
// Expressions are PromQL, with the meaning that Prometheus 3 gives it: an instant
// read sees the newest sample of the last five minutes, the interval open on the
// left, and nothing when a later scrape did not bring the series; a range is
// open on the left too; rate, increase and delta extrapolate to the ends of the
// range as Prometheus' extrapolatedRate does. Evaluated are selectors with
// offset, arithmetic, comparisons, and/or/unless with on and ignoring, sum, avg,
// min, max, count, group, stddev, stdvar and quantile, and the functions of
// [Functions]. What is not evaluated is refused by name when the monitor is made.
//
// # Alerts
//
// Every rule is evaluated with every scrape, at its instant, with Prometheus' state
// machine: an element of the result that is new is pending; it fires when
// ts - activeAt >= For, which for a For of zero is the same evaluation; a pending
// one whose condition goes away is dropped at once; a firing one is resolved,
// after KeepFiringFor, unless its condition comes back, in which case it goes on
// with its old activeAt. Its identity is its label set. An evaluation that fails
// changes no state; Rule.NoData and Rule.OnError choose otherwise. A rule with
// Record keeps its result as a series, which the rules after it read.
//
// # Notifications
//
// Alerts that fire and end become notifications as in Alertmanager: see [Route],
// [Silence] and [Inhibition]. Every [Channel] has a goroutine of its own, so that one
// that fails, panics or hangs holds up no other; what it did not take is counted
// in Status, marked in the event log, and sent again. A notification is looked at
// at exact instants: the scrape at which a group began, plus GroupWait, plus
// multiples of GroupInterval.
//
// Inside a bubble the timeouts of a real socket are fake, and never fire while
// the socket is waited for. Webhook and Mail therefore refuse a real address
// there ([ErrRealSocket]): give them a client or a dialer that stays in memory, or
// an [Outside], which sends in real time on a goroutine outside the bubble.
//
// # Readings of the real process
//
// Config.Runtime adds metrics whose names begin with real_. Under a fake clock they
// are of another time than everything else and differ from run to run, so rules
// do not see them there unless Config.AlertOnReal says so.
//
// # Cost
//
// A scrape of 1,000 series with 100 rules takes about 0.7 ms, two thirds of which
// the registry takes to gather them. Four days at ten seconds with 60 series
// and two rules take about a second and a half.
package monitor
