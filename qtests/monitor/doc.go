// Package monitor is a Prometheus inside a test: it scrapes metrics at every
// interval of the test's clock, remembers them, and raises alerts that a test can
// rely on.
//
//	mon := monitor.NewT(t, monitor.Config{
//		Gatherers:  []prometheus.Gatherer{registry},     // of the system under test
//		Collectors: []prometheus.Collector{metrics.Of(breaker), pool},
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
// A monitor made at the instant start scrapes at start + k*Interval, k = 1, 2, …. Its
// samples have exactly that instant, also when gathering takes long. An instant that
// passes before its turn comes (because the clock jumped, or a gatherer took longer
// than an interval) is left out and counted in Status.Missed. When the clock goes back,
// scrapes are refused until it has caught up. Scrape adds a scrape at this instant.
// Close does not scrape.
//
// Real rules select by job and instance. A [Target] is a gatherer with these labels, and
// with the series that Prometheus writes about each scrape; [Monitor.Down] takes one down.
// A plain gatherer has no such labels. If one returns an error, panics, exits
// or does not return within Config.Timeout, it brings nothing to this scrape: its series
// are stale at once, and up{gatherer="…"} is 0 instead of 1. Names are "gatherer 0",
// "gatherer 1", … and "collectors". A gatherer that has not returned is not called
// again until it has. Timestamps of metrics are ignored. The classic buckets of a
// histogram are read, and with Config.NativeHistograms the native ones as well. le and quantile are written as Prometheus 3
// stores them: "1.0", not "1". NaN and infinities are values like others. If two metrics
// are one series, the first value counts, and there is an error. Names of metrics and
// labels are any UTF-8, as in Prometheus 3; an expression writes those that need it in
// quotes: {"http.requests", "http.route"="/"}. Two monitors on one registry do not disturb
// each other.
//
// The registry of the process, prometheus.DefaultGatherer, in which promauto registers, is
// a trap for tests: what all tests so far have counted is in it, so that only rates and
// increases belong to one test, and two tests that run at once count into one series. Of
// two tests that scrape it at once, NewT fails the second. A test that means it hides the
// registry in a prometheus.GathererFunc.
//
// # History
//
// Samples are kept for Config.Retention at least, and Config.MaxSamples per series at
// least, both rounded up to whole blocks of 128 scrapes. A sample takes eight bytes.
// The instant of a scrape takes another eight for all series together. A block in which
// a value never changes takes eight bytes in all. A series whose last sample is no
// longer kept is forgotten.
//
// # Expressions
//
// Expressions are PromQL, with the meaning of Prometheus 3. An instant read sees the
// newest sample of the last five minutes; the interval is open on the left. It sees
// nothing if a later scrape did not bring the series. A range is open on the left, too.
// rate, increase and delta extrapolate to the ends of the range as Prometheus'
// extrapolatedRate does. The monitor evaluates selectors with offset, arithmetic,
// comparisons, and/or/unless with on and ignoring, sum, avg, min, max, count, group,
// stddev, stdvar and quantile, and the functions of [Functions]. New refuses anything
// else, and names it.
//
// # Alerts
//
// Every rule is evaluated with every scrape, at its instant, with Prometheus' state
// machine. Each element of the result is an alert, identified by its labels.
//
//   - A new alert is pending. It fires when ts - activeAt >= For. If For is zero, that is
//     in the same evaluation.
//   - A pending alert is dropped at once when its condition ends.
//   - A firing alert is resolved when its condition has ended for KeepFiringFor. If the
//     condition comes back before, the alert goes on with its old activeAt.
//
// An evaluation that fails changes no state, unless Rule.NoData or Rule.OnError says
// otherwise. A rule with Record keeps its result as a series, which the rules after it
// read. The rules before it see what it recorded at the evaluation before, as in
// Prometheus: an alert may be listed before the recording rule that it reads.
//
// The alerts that are pending or firing are series, too, ALERTS and ALERTS_FOR_STATE, which
// rules may read.
//
// Labels and annotations are templates with all of Prometheus' functions and variables;
// query asks this monitor. A template that fails does not stop the alert: its text is
// Prometheus' "<error expanding template: …>", and Status counts the error.
//
// # Notifications
//
// Alerts that fire and end become notifications as in Alertmanager: see [Route],
// [Silence] and [Inhibition]. Package notify has channels. Every [Channel] has a
// goroutine of its own: one that fails, panics or hangs does not delay the others. What
// a channel did not take is counted in Status, marked in the event log, and sent again.
// A group is looked at at exact instants: the scrape at which it began, plus GroupWait,
// plus multiples of GroupInterval.
//
// # Readings of the real process
//
// Config.Runtime adds metrics whose names begin with real_. Under a fake clock they
// belong to another time than everything else, and differ from run to run. Therefore
// rules do not see them there, unless Config.AlertOnReal is set.
//
// # Cost
//
// A scrape of 1,000 series with 100 rules takes about 0.7 ms. The registry takes two
// thirds of that to gather them. Four days at ten seconds with 60 series
// and two rules take about a second and a half.
package monitor
