// Package merge puts the parts of a run together that several processes have left in a directory,
// which QTESTS_RESULTS names: on the jobs of a CI matrix, the pods of a Kubernetes Job, the tasks of a
// Slurm array. It judges the thresholds of the whole, and writes reports. "go tool qtests merge" is this
// package at the command line.
//
// A part leaves, in a directory for each run:
//
//	load-3-of-8.json     its result (package result), with what only merging needs
//	load-3-of-8.hlog     its response times, an HDR histogram log
//	sweep-3-of-8.json    which of its seeds failed, of a test under many seeds
//	ready-3-of-8.json    when it came
//
// Every file is written as a whole or not at all, and never over another. The parts may lie in one
// directory or in several below it, as the artifacts of a CI do that are downloaded together.
//
// What does not belong together is refused, and named: [Run.Err].
package merge
