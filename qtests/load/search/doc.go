// Package search runs load scenarios to find a limit: [Capacity] the highest load, or the
// smallest size, at which a system keeps its thresholds, and [Recovers] the longest
// disturbance from which it recovers.
//
// Every run is at scale 1. Inside qtests.Run the runs take no real time.
package search
