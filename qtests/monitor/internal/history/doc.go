// Package history keeps the samples of scraped series, bounded in time, in
// samples per series and in series, in at most eight bytes a sample plus the
// ends of blocks.
//
// It is a plain structure without lock or clock; its owner serializes all calls.
//
// # Layout
//
// A row is one scrape: an instant, and one value for every series. All series
// share the instants of the rows. Rows are grouped in blocks of 128; the values
// of one series in one block are a column. A series that a scrape did not
// bring has the stale marker in that row, which is Prometheus' own bit pattern,
// so "absent" and "stale" are one case. A finished column whose values are all the
// same shrinks to that one value.
package history
