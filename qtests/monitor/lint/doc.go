// Package lint finds alert rules that cannot do what they are for, without a scrape:
//
//	func TestRules(t *testing.T) {
//		lint.Require(t, lint.Config{Interval: 15 * time.Second}, "alerts/*.yaml")
//	}
//
// Each [Finding] says where the rule is (file, line, group), which alert it is, and one
// of these words:
//
//   - syntax: the rule is refused by a monitor: its expression, its labels or a template.
//   - range: rate, increase and the other functions that need two samples read a range
//     that can never hold two, or no longer does when one scrape fails. A metric that a
//     rule records has a sample at each evaluation of that rule.
//   - for: `for` or `keep_firing_for` is shorter than the time between two evaluations.
//   - absent: the result of absent has no label, because the selector has no matcher of
//     equality beside the name; or an alert on absent has no `for`, so that one failed
//     scrape fires it.
//   - always: the alert compares nothing, so that it fires while there is any series.
//   - labels: a template reads a label that an aggregation has taken away.
//   - matching: an operator between two vectors pairs by a label that one side never has.
//   - buckets: histogram_quantile reads classic buckets without their label le.
//   - resets: rate of a sum of counters, in which the restart of one looks like a reset of all.
//   - recorded: a metric with a colon in its name, which only a rule can record, and none of
//     the files does.
//   - duplicate: two rules are the same, or two record one metric with the same labels.
//   - interval: a group records at an interval of [monitor.Lookback] or more: between two
//     evaluations no selector sees what it recorded.
//
// An expression that monitor's own reader of PromQL does not evaluate is looked at with
// Config.Compile for its syntax alone.
package lint
