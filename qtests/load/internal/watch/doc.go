// Package watch does what a load run in a test and in real time has to do besides: it ends the
// run for Ctrl-C, and shows a line of progress every second on the terminal, if there is one.
// It knows a run by four methods.
package watch
