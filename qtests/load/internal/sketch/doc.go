// Package sketch has coarse histograms that are small enough to keep many of them: a [Sketch] of
// durations and a [Spread] of any numbers. They merge without loss, and their JSON has every
// bucket.
package sketch
