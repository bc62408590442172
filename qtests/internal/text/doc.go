// Package text writes numbers, durations, names and tables for people, so that every
// message of qtests writes them in the same way. Its functions are safe for concurrent
// use.
package text
