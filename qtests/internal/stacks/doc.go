// Package stacks reads what the runtime prints of goroutines, and says what they are and
// what they wait for.
//
// The form of that text differs between versions of Go. So a reader proves itself at its
// first use in a process, on a goroutine made for it: [ProveBubble] and [ProveLabels] say
// what could not be read. All functions are safe for concurrent use.
package stacks
