// Package slurm has batch files for a load test on a Slurm cluster. Its test runs them on a cluster of
// two nodes that it starts on this machine.
package slurm
