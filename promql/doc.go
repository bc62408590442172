// Package promql evaluates alert rules with Prometheus' own engine over the
// history of a monitor, so that a team's real rule file is tested against their
// real code under a simulated outage:
//
//	alerts, err := rules.Read("alerts.yaml")
//	…
//	mon := monitor.NewT(t, monitor.Config{
//		Gatherers: …,
//		Rules:     alerts,
//		Compile:   promql.NewEngine().Compile,
//	})
//	… an outage …
//	mon.RequireFired(t, "PaymentsDown")
//
// [RunRuleTests] runs the files of "promtool test rules" that a team has beside its rules,
// in the same go test.
//
// It is a module of its own because the engine brings more than two hundred
// packages, which a user of qtests need not have. Package monitor reads the
// same files and evaluates most expressions with the same result; what it cannot
// evaluate it refuses, and this package can.
//
// # What is the same as in Prometheus, and what is not
//
// The expressions are parsed, type-checked and evaluated by Prometheus. The alert
// state machine, templates and recording rules are those of package monitor, which
// follows Prometheus'. Rules are evaluated with the monitor's scrapes, a group with
// its interval (see monitor.Rule.Every).
//
// With monitor.Config.NativeHistograms the rules see native histograms, too: rate,
// histogram_quantile, histogram_count, histogram_sum, sums of them, and all else that the
// engine does with them. A rule may record one; what it recorded is read as a counter, not
// as the gauge that Prometheus makes of it, and one with custom buckets is refused. Not
// there: start timestamps in place of the first sample of a counter, and exemplars in
// expressions; a monitor keeps both (monitor.Series, monitor.Sample).
package promql
