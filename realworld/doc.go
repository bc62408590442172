// Package realworld has no code but tests: published modules, unchanged, under load,
// through an outage and recovery. Each run of a scenario is to have the same outcome on the
// ordered runtime, line by line; the README has the outcomes on both runtimes.
package realworld
