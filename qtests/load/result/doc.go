// Package result has what a load run leaves: a [Result], which is a value of a size that does
// not depend on the number of requests, and its forms. [Result.String] is the summary for
// people, [Result.WriteJSON] and [Read] keep and read it, [Result.SaveHTML] and
// [Result.WriteHTML] are the report, and [Result.WriteHLog] is a log for HDR tools. A
// [RequestLog] has every request, and grows with them.
//
// A Result is not changed after the run, but by load.Baseline, which notes what it was compared with. What only reads it is safe for concurrent use.
package result
