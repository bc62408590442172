// Package query reads and evaluates the part of PromQL in which nearly all alert
// rules are written, with Prometheus' own meaning, over a history.Store.
//
// Evaluated: numbers; instant and range selectors with offset; unary and binary
// arithmetic, comparisons (with bool) and set operators, matched one to one with
// on or ignoring; the aggregations sum, avg, min, max, count, group, stddev,
// stdvar and quantile, with by or without; and the functions that [Functions]
// lists. Everything else that PromQL has (subqueries, @, group_left,
// native histograms, other functions) is refused by name when it is parsed,
// never evaluated to something else.
//
// An [Expr] keeps what its selectors matched. It belongs to one goroutine at a time.
package query
