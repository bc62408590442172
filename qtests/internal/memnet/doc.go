// Package memnet has connections that live in memory, for the listener of qtests and for the
// bodies of its direct client. A goroutine that waits for one lets the time of a bubble pass.
package memnet
