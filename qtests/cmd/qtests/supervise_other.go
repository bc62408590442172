//go:build !unix

package main

import "os"

var passedOn = []os.Signal{os.Interrupt}

// reachesAll: a console sends its interrupts to every process attached to it.
func reachesAll(os.Signal) bool { return true }

func exitStatus(state *os.ProcessState) int { return state.ExitCode() }
