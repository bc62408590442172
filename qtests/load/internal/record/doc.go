// Package record counts what happens in a load run. A [Recorder] is a plain value without
// lock, clock or goroutine: the run locks it. Its size does not depend on the number of
// requests: a histogram for every step and tag, and a timeline of at most 600 intervals.
//
// What is counted becomes a result by [Recorder.Result].
package record
