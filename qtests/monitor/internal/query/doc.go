// Package query reads and evaluates the part of PromQL in which nearly all alert
// rules are written, with Prometheus' own meaning, over a history.Store.
//
// Evaluated: numbers; instant and range selectors and subqueries, with offset and @;
// unary and binary arithmetic, comparisons (with bool) and set operators, matched one to
// one or many to one with on or ignoring, group_left or group_right; the aggregations sum,
// avg, min, max, count, group, stddev, stdvar, quantile, topk, bottomk and count_values,
// with by or without; and the functions that [Functions] lists. Everything else that
// PromQL has (arithmetic of durations, fill, functions of native histograms) is refused by
// name when it is parsed, never evaluated to something else. What Prometheus has behind a
// switch for experiments (limitk, sort_by_label, double_exponential_smoothing, info) is
// refused as its parser refuses it by default.
//
// From the bottom up: lex.go has the tokens, statistics.go and eval.go the numbers and the
// elements of one evaluation, ast.go what a node is; each kind of node has a file, with its
// evaluation (selector.go, subquery.go, binary.go, aggregate.go, call.go); functions.go is
// the table of the functions that a call may name. parse.go reads the text into nodes, and
// expr.go evaluates them. On top is what says something about an expression without
// evaluating it: selectors.go, windows.go, shape.go and flaws.go.
//
// An [Expr] keeps what its selectors matched. It belongs to one goroutine at a time.
package query
